import { expect, test } from "vitest";
import { record } from "../replay/harness.ts";
import { Trace } from "./trace.ts";

const options = { seed: 5, scenario: "S2", hosts: 4, seconds: 4, pairsPerSecond: 50 } as const;

test("one seed gives one recording, another seed another", () => {
  const rows = (seed: number) => record({ ...options, seed }).rows;
  expect(rows(5)).toEqual(rows(5));
  expect(rows(6)).not.toEqual(rows(5));
});

test("rows come in order of sending, coded pairs 10 us apart, both ways on every edge", () => {
  const { rows } = record(options);
  expect(rows.length).toBe(4 * 3 * 2 * 50 * 4);
  const newest = [0, 0, 0, 0];
  const firsts = new Map<string, number>();
  for (const [from, to, pair, slot, txNs] of rows) {
    expect(txNs).toBeGreaterThan(newest[from] - 200);
    newest[from] = txNs;
    const key = `${from}-${to}-${pair}`;
    if (slot === 0) firsts.set(key, txNs);
    else expect(Math.abs(txNs - firsts.get(key)! - 10_000)).toBeLessThan(150);
  }
});

test("delays have the stated marginals: 10 us, and each of 4 hops busy with 40 %", () => {
  const { rows, truth } = record({ ...options, seconds: 20 });
  // Host 1 sees the delay of 0 -> 1 on its own clock, whose offset the truth tells.
  const offsets = truth[1].map(([hostNs, referenceNs]) => hostNs - referenceNs);
  const delays = rows
    .filter(([from, to]) => from === 0 && to === 1)
    .map(([, , , , txNs, rxNs]) => rxNs - txNs - offsets[Math.round(txNs / 1e8)]);
  delays.sort((a, b) => a - b);
  const floorNs = delays[Math.floor(0.05 * delays.length)];
  const untouched = delays.filter((d) => d < floorNs + 2_200).length / delays.length;
  const meanNs = delays.reduce((sum, d) => sum + d, 0) / delays.length - floorNs;
  expect(floorNs).toBeGreaterThan(9_000);
  expect(floorNs).toBeLessThan(14_000);
  // 0.6^4 = 13 % meet no queue; 4 x 40 % x 12.5 us = 20 us of waiting in the mean.
  expect(untouched).toBeGreaterThan(0.13);
  expect(untouched).toBeLessThan(0.35);
  expect(meanNs).toBeGreaterThan(16_000);
  expect(meanNs).toBeLessThan(24_000);
});

test("a biased edge is biased in its offset, by half of the asymmetry that does it", () => {
  const biased = new Trace({ ...options, hosts: 10, biasedShare: 0.15 });
  expect(biased.biasNs.filter((b) => b !== 0).length).toBe(Math.round(0.15 * 45));
  expect(new Set(biased.biasNs.map(Math.abs))).toEqual(new Set([0, 1_500]));
  const { rows, truth, trace } = record({ ...options, hosts: 2, seconds: 10, biasedShare: 1 });
  const offsets = truth[1].map(([hostNs, referenceNs]) => hostNs - referenceNs);
  const least = (from: number) =>
    Math.min(
      ...rows
        .filter((row) => row[0] === from)
        .map(([, , , , txNs, rxNs]) => {
          const offsetNs = offsets[Math.round(Math.min(txNs, rxNs) / 1e8)];
          return from === 0 ? rxNs - txNs - offsetNs : rxNs - txNs + offsetNs;
        }),
    );
  // The truth is told every 100 ms, so that a clock at 20 ppm blurs this by a microsecond.
  expect((least(0) - least(1)) / 2 / trace.biasNs[0]).toBeGreaterThan(0.3);
});

test("a larger fleet is connected, with about as many neighbours as asked for", () => {
  const { plan } = new Trace({ ...options, hosts: 40, neighbours: 6 });
  const degree = plan.hosts.map((_, i) => plan.edges.filter((e) => e.includes(i)).length);
  expect(Math.min(...degree)).toBeGreaterThanOrEqual(2);
  expect(plan.edges.length).toBe(120);
});

test("what is lost is missing, and the pair numbers tell", () => {
  const { rows } = record({ ...options, lossShare: 0.1 });
  expect(rows.length / (4 * 3 * 2 * 50 * 4)).toBeCloseTo(0.9, 1);
});
