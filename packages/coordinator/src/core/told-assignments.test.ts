import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { newHost } from "./host.ts";
import type { Body } from "./outbox.ts";
import { ToldAssignments } from "./told-assignments.ts";

const dealt = (...numbers: number[]): Body => ({
  case: "assignment",
  value: { neighbours: numbers.map((hostNumber) => ({ hostNumber })), pairsPerSecond: 50 },
});

test("a host is told its neighbours once, again when they change, and on every new stream", () => {
  const told = new ToldAssignments();
  const host = newHost(1, create(HelloSchema, { hostId: "a" }), 7);
  const other = newHost(2, create(HelloSchema, { hostId: "b" }), 8);
  expect(told.isNews(host, dealt(2, 3))).toBe(true);
  expect(told.isNews(host, dealt(2, 3))).toBe(false);
  expect(told.isNews(other, dealt(2, 3))).toBe(true);
  expect(told.isNews(host, dealt(2, 4))).toBe(true);
  host.connection = 9;
  expect(told.isNews(host, dealt(2, 4))).toBe(true);
  expect(told.isNews(host, dealt(2, 4))).toBe(false);
});
