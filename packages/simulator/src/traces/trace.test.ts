import { expect, test } from "vitest";
import { record } from "../replay/harness.ts";
import { Trace, type TraceOptions } from "./trace.ts";

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

test("few neighbours are obeyed also among few hosts", () => {
  const { plan } = new Trace({ ...options, hosts: 10, neighbours: 3 });
  expect(plan.edges.length).toBe(15);
  expect(new Trace({ ...options, hosts: 10 }).plan.edges.length).toBe(45);
});

/** Rows with what is known of each probe. */
function known(change: Partial<TraceOptions>) {
  const trace = new Trace({ ...options, ...change });
  const rows: number[][] = [];
  const flags: [boolean, boolean][] = [];
  trace.run(
    (...row) => rows.push(row),
    () => {},
    (...flag) => flags.push(flag),
  );
  return { trace, rows, flags };
}

const shareOf = (flags: readonly boolean[]) => flags.filter(Boolean).length / flags.length;

test("a load leaves so many probes untouched, and early stamps are as many as wanted", () => {
  const { flags } = known({ scenario: "load80", seconds: 10, earlyShare: 0.08 });
  // The bottleneck is free for 20 % of the time, a second queue for 80 % of it.
  expect(shareOf(flags.map(([metNoQueue]) => metNoQueue))).toBeCloseTo(0.16, 1);
  expect(shareOf(flags.map(([, sound]) => sound))).toBeCloseTo(0.92, 2);
  expect(shareOf(known({ scenario: "S1" }).flags.map(([metNoQueue]) => metNoQueue))).toBe(0);
});

test("one direction of an asymmetric link is longer, or each for itself", () => {
  const differences = (asymmetry: "one" | "each") => {
    const { trace } = known({ scenario: "S6", hosts: 11, asymmetry });
    return trace.plan.edges.map(([a, b]) => [trace.floorNs(a, b), trace.floorNs(b, a)]);
  };
  // Links are 10 to 12 us long, alike both ways; what is beyond is asymmetry.
  for (const [there, back] of differences("one")) {
    expect(Math.min(there, back)).toBeLessThan(12_000);
  }
  expect(
    differences("each").filter((floors) => Math.min(...floors) > 12_000).length,
  ).toBeGreaterThan(5);
});

test("a strong swing changes a clock's frequency by up to 1 ppm up and down", () => {
  const { truth } = record({
    ...options,
    hosts: 2,
    seconds: 60,
    pairsPerSecond: 1,
    swing: "strong",
  });
  const rates = truth[1].slice(1).map(([hostNs, referenceNs], i) => {
    const [host0, reference0] = truth[1][i];
    return ((hostNs - host0) / (referenceNs - reference0) - 1) * 1e9;
  });
  const spread = Math.max(...rates) - Math.min(...rates);
  expect(spread).toBeGreaterThan(1_500);
  expect(spread).toBeLessThan(4_500);
});

test("where there are two regions, the way between them is long, and longer one way now and then", () => {
  const { trace, rows } = known({ scenario: "S5", pairsPerSecond: 5 });
  expect(trace.plan.hosts.map(({ region }) => region)).toEqual(["r0", "r1", "r0", "r1"]);
  expect(trace.floorNs(0, 1)).toBeGreaterThan(30e6);
  expect(trace.floorNs(0, 2)).toBeLessThan(70_000);
  expect(rows.length).toBe(4 * 3 * 2 * 5 * 4);
});

test("an early stamp shows a delay that is 50 to 500 ns too short", () => {
  const { rows, flags } = known({ scenario: "idle", earlyShare: 0.3 });
  const gapErrors: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    const [from, to, pair, slot, txNs, rxNs] = rows[i];
    const isEarly = slot === 0 && flags[i][0] && !flags[i][1];
    if (!isEarly) continue;
    const k = rows.findIndex((r, j) => j > i && r[0] === from && r[1] === to && r[2] === pair);
    if (flags[k][0] && flags[k][1]) gapErrors.push(rows[k][5] - rxNs - (rows[k][4] - txNs));
  }
  expect(gapErrors.length).toBeGreaterThan(100);
  expect(Math.min(...gapErrors)).toBeGreaterThan(50 - 60);
  expect(Math.max(...gapErrors)).toBeLessThan(500 + 60);
  const meanNs = gapErrors.reduce((sum, gap) => sum + gap, 0) / gapErrors.length;
  expect(Math.abs(meanNs - 275)).toBeLessThan(40);
});
