import { expect, test } from "vitest";
import { CpuMeter } from "./cpu-meter.ts";

/** A meter on a thread that works as long as it is told to. */
function meterOf(askingUs = 0) {
  let usedUs = 0;
  let asked = 0;
  const meter = new CpuMeter(() => {
    asked++;
    usedUs += askingUs;
    return usedUs;
  });
  const work = (us: number) => () => {
    usedUs += us;
  };
  return { meter, work, asked: () => asked };
}

test("long works are measured each time, and one inside of another counts once", () => {
  const { meter, work } = meterOf();
  meter.whole(work(30_000));
  meter.whole(() => {
    meter.whole(work(5_000));
    work(1_000)();
  });
  expect(meter.totalS).toBeCloseTo(0.036, 9);
});

test("of many short works one in thirty-two is measured and stands for the others", () => {
  const { meter, work, asked } = meterOf();
  for (let i = 0; i < 3_200; i++) meter.sampled(work(10));
  expect(meter.totalS).toBeCloseTo(0.032, 9);
  expect(asked()).toBe(300);
});

test("what it takes to ask does not count as work, where works are short", () => {
  const { meter, work } = meterOf(12);
  for (let i = 0; i < 3_200; i++) meter.sampled(work(5));
  expect(meter.totalS).toBeCloseTo(0.016, 9);
});

test("a round that a short work sets off counts as what it is, whichever report it was", () => {
  for (let last = 0; last < 40; last++) {
    const { meter, work } = meterOf();
    for (let i = 0; i < 3_200; i++) {
      meter.sampled(() => {
        work(10)();
        if (i % 1_000 === last) meter.whole(work(50_000));
      });
    }
    expect(meter.totalS).toBeCloseTo(0.032 + 4 * 0.05, 9);
  }
});

test("a work that fails has cost what it cost", () => {
  const { meter, work } = meterOf();
  const fails = () => {
    work(2_000)();
    throw new Error("broken");
  };
  expect(() => meter.whole(fails)).toThrow("broken");
  meter.whole(work(1_000));
  expect(meter.totalS).toBeCloseTo(0.003, 9);
});
