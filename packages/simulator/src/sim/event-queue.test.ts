import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { EventQueue } from "./event-queue.ts";

test("events leave in order of time, those of one instant as they came in", () => {
  const random = new Prng(7);
  const queue = new EventQueue();
  const model: { atNs: number; subject: number }[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const check = () => {
    model.sort((a, b) => a.atNs - b.atNs);
    right.push(model.shift()!.subject);
    expect(queue.take()).toBe(true);
    left.push(queue.subject);
  };
  for (let subject = 0; subject < 5_000; subject++) {
    // Few different instants, so that many fall together.
    const atNs = Math.floor(random.uniform() * 50);
    queue.add(atNs, subject % 7, subject);
    model.push({ atNs, subject });
    if (random.uniform() < 0.4) check();
  }
  while (model.length > 0) check();
  expect(left).toEqual(right);
  expect(queue.take()).toBe(false);
  expect(queue.nextNs).toBe(Number.POSITIVE_INFINITY);
});
