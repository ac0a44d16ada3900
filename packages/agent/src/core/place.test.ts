import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type CoordinatorMessage, CoordinatorMessageSchema } from "@ttcs/protocol";
import { rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { AgentCore } from "./agent.ts";

const NOW = rawNanos(5_000_000_000n);
const header = { domain: "default", term: 1n, round: 1n };

type Body = MessageInitShape<typeof CoordinatorMessageSchema>["body"];

/** What an agent does that is told these: kinds of actions, and what it logs. */
function told(...bodies: Body[]): string[] {
  const core = new AgentCore({
    hostId: "h1",
    domain: "default",
    correctClock: true,
    coordinatorAddress: "server:6176",
  });
  const messages = bodies.map(
    (body): CoordinatorMessage =>
      create(CoordinatorMessageSchema, { header, ...(body ? { body } : {}) }),
  );
  return messages.flatMap((message) =>
    core
      .handleMessage(message, NOW)
      .map((action) => (action.kind === "log" ? action.text : action.kind)),
  );
}

const welcome = (hostNumber: number): Body => ({ case: "welcome", value: { hostNumber } });
const assignment = (count: number): Body => {
  const neighbours = Array.from({ length: count }, (_, i) => ({ hostNumber: i + 2 }));
  return { case: "assignment", value: { neighbours, pairsPerSecond: 50 } };
};

test("a welcome without a number makes no host, and nobody is dealt neighbours before one", () => {
  expect(told(welcome(0), assignment(3))).toEqual([
    "a welcome without a number is ignored",
    "neighbours refused: this host has no number",
  ]);
});

test("more neighbours than any mesh deals are refused: a message must not fill the memory", () => {
  expect(told(welcome(1), assignment(256))).toEqual(["identify", "keys", "probe", "neighbours"]);
  expect(told(welcome(1), assignment(257))).toEqual([
    "identify",
    "neighbours refused: 257 are more than any mesh deals",
  ]);
});
