import { create } from "@bufbuild/protobuf";
import { type CoordinatorMessage, CoordinatorMessageSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { Outflow, STALLED_AFTER_MS } from "./outflow.ts";

const message = (round: number, body: CoordinatorMessage["body"]["case"]): CoordinatorMessage =>
  create(CoordinatorMessageSchema, {
    header: { round: BigInt(round) },
    body: { case: body, value: {} } as never,
  });

function open() {
  const written: string[] = [];
  const clock = { nowMs: 0 };
  let left = () => {};
  const outflow = new Outflow(
    ({ header, body }, done) => {
      written.push(`${body.case} ${header!.round}`);
      left = done;
    },
    () => clock.nowMs,
  );
  return { outflow, clock, written, leave: () => left() };
}

test("a correction that has not left is replaced by the next one, other kinds keep their turn", () => {
  const { outflow, written, leave } = open();
  outflow.send(message(1, "welcome"));
  outflow.send(message(1, "correction"));
  outflow.send(message(1, "assignment"));
  for (let round = 2; round < 100; round++) outflow.send(message(round, "correction"));
  expect(written).toEqual(["welcome 1"]);
  for (let i = 0; i < 5; i++) leave();
  expect(written).toEqual(["welcome 1", "assignment 1", "correction 99"]);
  expect(outflow.replacedCount).toBe(98);
  outflow.send(message(100, "correction"));
  expect(written.at(-1)).toBe("correction 100");
});

test("a stream is stalled when nothing has left for long, not when there is nothing to say", () => {
  const { outflow, clock, leave } = open();
  clock.nowMs = 1_000;
  expect(outflow.isStalled).toBe(false);
  outflow.send(message(1, "correction"));
  clock.nowMs = 1_000 + STALLED_AFTER_MS;
  expect(outflow.isStalled).toBe(false);
  // More to say does not make it younger.
  outflow.send(message(2, "correction"));
  clock.nowMs++;
  expect(outflow.isStalled).toBe(true);
  leave();
  leave();
  clock.nowMs = 1e9;
  expect(outflow.isStalled).toBe(false);
});

test("a stream ends when the last word has left, at once where nothing is under way", () => {
  const { outflow, written, leave } = open();
  let ended = 0;
  outflow.send(message(1, "correction"));
  outflow.send(message(1, "refusal"));
  outflow.end(() => ended++);
  leave();
  expect([written.at(-1), ended]).toEqual(["refusal 1", 0]);
  leave();
  expect(ended).toBe(1);
  const idle = open().outflow;
  idle.end(() => ended++);
  expect(ended).toBe(2);
});
