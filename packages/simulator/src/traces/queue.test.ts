import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { FifoQueue } from "./queue.ts";

const BURST_NS = 3_000;

/** Waits of pairs 10 us apart, one pair in `everyNs`. */
function pairs(load: number, count: number, everyNs: number): [number, number][] {
  const queue = new FifoQueue(new Prng(11), load, BURST_NS);
  return Array.from({ length: count }, (_, i) => [
    queue.pass(i * everyNs, 100),
    queue.pass(i * everyNs + 10_000, 100),
  ]);
}

test.each([
  ["remembered all along", 100_000],
  ["drawn anew each time", 20_000_000],
])(
  "%s: nobody waits with probability 1 - load, and burst / (1 - load) where somebody does",
  (_, everyNs) => {
    const firsts = pairs(0.6, 40_000, everyNs).map(([first]) => first);
    const waits = firsts.filter((wait) => wait > 0);
    expect(waits.length / firsts.length).toBeCloseTo(0.6, 1);
    const meanNs = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    expect(meanNs / (BURST_NS / 0.4)).toBeCloseTo(1, 1);
  },
);

test("the second probe of a pair meets what the first one met, less 10 us", () => {
  const met = pairs(0.6, 20_000, 1e7).filter(([first]) => first > 30_000);
  expect(met.length).toBeGreaterThan(100);
  for (const [first, second] of met) expect(second).toBeGreaterThan(first - 10_000);
});

test("a packet waits for the one before it", () => {
  const queue = new FifoQueue(new Prng(1), 0, BURST_NS);
  expect(queue.pass(0, 100)).toBe(0);
  expect(queue.pass(40, 100)).toBe(60);
  expect(queue.pass(1_000, 100)).toBe(0);
});
