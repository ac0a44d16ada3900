import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import type { NeighbourView } from "./dealer.ts";
import { type Host, newHost } from "./host.ts";
import { ToldAssignments } from "./told-assignments.ts";

const hostOf = (number: number) =>
  newHost(number, create(HelloSchema, { hostId: `h${number}` }), number);
const hosts = new Map([1, 2, 3, 4].map((n) => [n, hostOf(n)]));
const view = (host: Host): NeighbourView => ({
  host,
  hello: host.hello,
  owner: true,
  anchor: false,
});
const dealt = (...numbers: number[]) => numbers.map((n) => view(hosts.get(n)!));

test("a host is told its neighbours once, again when they change, and on every new stream", () => {
  const told = new ToldAssignments();
  const [host, other] = [hosts.get(1)!, hosts.get(2)!];
  expect(told.isNews(host, undefined, dealt(2, 3))).toBe(true);
  expect(told.isNews(host, undefined, dealt(2, 3))).toBe(false);
  expect(told.isNews(other, undefined, dealt(2, 3))).toBe(true);
  expect(told.isNews(host, undefined, dealt(2, 4))).toBe(true);
  host.connection = 9;
  expect(told.isNews(host, undefined, dealt(2, 4))).toBe(true);
  expect(told.isNews(host, undefined, dealt(2, 4))).toBe(false);
});

test("another reference, another owner, a new anchor and a neighbour that has moved are news", () => {
  const told = new ToldAssignments();
  const [host, neighbour] = [hostOf(1), hostOf(5)];
  const before = view(neighbour);
  told.isNews(host, undefined, [before]);
  expect(told.isNews(host, neighbour, [before])).toBe(true);
  expect(told.isNews(host, neighbour, [{ ...before, owner: false }])).toBe(true);
  expect(told.isNews(host, neighbour, [{ ...before, owner: false, anchor: true }])).toBe(true);
  const again = { ...neighbour.hello, softwareVersion: "2" };
  const same = { ...before, owner: false, anchor: true };
  expect(told.isNews(host, neighbour, [{ ...same, hello: again }])).toBe(false);
  const moved = { ...neighbour.hello, probePort: 1_319 };
  expect(told.isNews(host, neighbour, [{ ...same, hello: moved }])).toBe(true);
});
