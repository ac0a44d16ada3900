import { Prng } from "@ttcs/units";
import { expect, it } from "vitest";
import { RunningMedian } from "./running-median.ts";

it("is the upper median, whether the last one was near or far", () => {
  const random = new Prng(5);
  const running = new RunningMedian(300);
  for (let round = 0; round < 200; round++) {
    const count = Math.floor(random.between(0, 300));
    // Mostly a little more than before, now and then something else altogether.
    const size = round % 10 === 0 ? random.between(0, 1e6) : 1 + round / 1000;
    const values = Array.from({ length: count }, () => Math.abs(size * random.normal()));
    running.begin();
    for (const value of values) running.add(value);
    values.sort((a, b) => a - b);
    expect(running.end()).toBe(count === 0 ? 0 : values[count >> 1]);
  }
});

it("is right when all values are the same", () => {
  const running = new RunningMedian(5);
  for (const value of [0, 7, 7, 0]) {
    running.begin();
    for (let i = 0; i < 5; i++) running.add(value);
    expect(running.end()).toBe(value);
  }
});
