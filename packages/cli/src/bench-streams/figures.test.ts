import { expect, test } from "vitest";
import { spreadOf, stretchOf } from "./figures.ts";
import type { LoadTally } from "./load.ts";

/** Rows of host, round and arrival after the close (ms). */
function tally(
  rows: readonly (readonly [number, number, number])[],
  left: readonly (readonly [number, number])[] = [],
): LoadTally {
  return {
    hosts: Int32Array.from(rows, ([host]) => host),
    rounds: Float64Array.from(rows, ([, round]) => round),
    afterCloseMs: Float64Array.from(rows, ([, , ms]) => ms),
    reportedRounds: Float64Array.from(left, ([round]) => round),
    leftMs: Float64Array.from(left, ([, ms]) => ms),
    errorsNs: Float64Array.from(rows, () => 10),
    outsideBound: 0,
    untrusted: 0,
    lostStreams: 0,
    refusals: [],
  };
}

const rounds = (host: number, afterMs: number) =>
  Array.from({ length: 12 }, (_, i) => [host, 100 + i, afterMs] as const);

test("percentiles are those of the nearest rank, of nothing they are no number", () => {
  const values = Float64Array.from({ length: 1000 }, (_, i) => 999 - i);
  expect(spreadOf(values)).toEqual({ p50: 500, p99: 990, max: 999 });
  expect(spreadOf(new Float64Array(0)).p50).toBeNaN();
});

test("jitter is the distance from the median of all, and of each stream from its own", () => {
  const { jitterMs, ownJitterMs } = stretchOf([tally(rounds(0, 100)), tally(rounds(1, 140))], 2);
  expect(jitterMs.max).toBe(40);
  expect(ownJitterMs.max).toBe(0);
});

test("a correction that is missing, late or doubled is counted for what it is", () => {
  const all = [...rounds(0, 100), ...rounds(1, 100)];
  expect(stretchOf([tally(all)], 2).missedShare).toBe(0);
  // The first and the last round may be cut by the ends: ten rounds of two hosts are judged.
  expect(stretchOf([tally(all.filter((_, i) => i !== 3))], 2).missedShare).toBeCloseTo(1 / 20, 9);
  const late = all.map((row, i) => (i === 3 ? ([0, 103, 900] as const) : row));
  expect(stretchOf([tally(late)], 2).missedShare).toBeCloseTo(1 / 20, 9);
  expect(stretchOf([tally([...all, ...rounds(1, 100)])], 2).missedShare).toBe(0);
});

test("what the agents' processes delay is told apart from what comes after", () => {
  const late = rounds(0, 100).map((row) => (row[1] === 104 ? ([0, 104, 190] as const) : row));
  const left = (ms: number) => late.map(([, r]) => [r, r === 104 ? ms + 90 : ms] as const);
  // The slower of two processes counts.
  const { jitterMs, leftMs, sinceLeftJitterMs } = stretchOf(
    [tally(late, left(50)), tally([], left(60))],
    1,
  );
  expect(jitterMs.max).toBe(90);
  expect(leftMs).toEqual({ p50: 60, p99: 150, max: 150 });
  expect(sinceLeftJitterMs.max).toBe(0);
});
