import { expect, test } from "vitest";
import { BurstPlan } from "./traffic.ts";

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

test("bursts add up to the rate that was asked for, however late the sender comes", () => {
  for (const tickMs of [1, 5]) {
    const plan = new BurstPlan(140, 3);
    let bytes = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += tickMs) bytes += sum(plan.due(nowMs));
    const mbit = (bytes * 8) / 60 / 1e6;
    console.log(`every ${tickMs} ms: ${mbit.toFixed(1)} Mbit/s`);
    expect(Math.abs(mbit / 140 - 1)).toBeLessThan(0.02);
  }
});

test("after a long stall it makes up for a little, bit by bit", () => {
  const plan = new BurstPlan(140, 3);
  const atOnce = sum(plan.due(10_000));
  // 8 ms of 140 Mbit/s are 140 kB on average.
  expect(atOnce).toBeLessThan(400_000);
  let later = 0;
  for (let i = 0; i < 100; i++) later += sum(plan.due(10_000));
  expect(atOnce + later).toBeLessThan(2 * 50 * 17_500);
});

test("no datagram is larger than UDP allows", () => {
  const plan = new BurstPlan(140, 3);
  const sizes = Array.from({ length: 20_000 }, (_, ms) => plan.due(ms)).flat();
  expect(Math.max(...sizes)).toBeLessThanOrEqual(65_507);
  expect(Math.min(...sizes)).toBeGreaterThan(0);
});
