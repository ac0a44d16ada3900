/** What the benchmark of streams measured, from the tallies of all its processes. */
import type { LoadTally } from "./load.ts";

/** Middle, 99th of a hundred, largest. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A stretch of undisturbed rounds. */
export interface Stretch {
  /** Arrival of corrections after their round's close (ms). */
  readonly afterCloseMs: Spread;
  /** Distance of arrivals from the median of all (ms). */
  readonly jitterMs: Spread;
  /** Distance of arrivals from the median of the same stream (ms). */
  readonly ownJitterMs: Spread;
  /** When the last report of a round had left, after its close, and the jitter counted from then on (ms). */
  readonly leftMs: Spread;
  readonly sinceLeftJitterMs: Spread;
  readonly corrections: number;
  /** Share of corrections that did not come within their round (0 to 1). */
  readonly missedShare: number;
  /** Absolute errors of trusted corrections (ns). */
  readonly errorNs: Spread;
  readonly outsideBound: number;
  readonly untrusted: number;
  readonly lostStreams: number;
  readonly refusals: readonly string[];
}

/** A correction that comes later than a round after its close was of no use to that round (ms). */
const ROUND_MS = 500;

/** Percentiles by the nearest rank; NaN for an empty set. */
export function spreadOf(values: Float64Array): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Sums up what processes have told of the same stretch of time. */
export function stretchOf(tallies: readonly LoadTally[], hostCount: number): Stretch {
  const afterClose = joined(tallies.map((t) => t.afterCloseMs));
  const middleMs = spreadOf(afterClose).p50;
  const left = lastLeft(tallies);
  const sinceLeft = joined(
    tallies.map(({ rounds, afterCloseMs }) =>
      afterCloseMs.map((ms, i) => ms - (left.get(rounds[i]) ?? Number.NaN)).filter(Number.isFinite),
    ),
  );
  const sinceLeftMiddleMs = spreadOf(sinceLeft).p50;
  const sum = (of: (tally: LoadTally) => number) => tallies.reduce((s, t) => s + of(t), 0);
  return {
    afterCloseMs: spreadOf(afterClose),
    jitterMs: spreadOf(afterClose.map((ms) => Math.abs(ms - middleMs))),
    ownJitterMs: spreadOf(joined(tallies.map(ownJitter))),
    leftMs: spreadOf(Float64Array.from(left.values())),
    sinceLeftJitterMs: spreadOf(sinceLeft.map((ms) => Math.abs(ms - sinceLeftMiddleMs))),
    corrections: afterClose.length,
    missedShare: missedShare(tallies, hostCount),
    errorNs: spreadOf(joined(tallies.map((t) => t.errorsNs))),
    outsideBound: sum((t) => t.outsideBound),
    untrusted: sum((t) => t.untrusted),
    lostStreams: sum((t) => t.lostStreams),
    refusals: [...new Set(tallies.flatMap((t) => t.refusals))],
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * By round: when the last report of all processes had left (ms after the close). Hundreds of agents in one
 * process hold each other up, where real ones have a machine each; what comes after is the server's.
 */
function lastLeft(tallies: readonly LoadTally[]): Map<number, number> {
  const left = new Map<number, number>();
  for (const { reportedRounds, leftMs } of tallies) {
    reportedRounds.forEach((round, i) => {
      left.set(round, Math.max(leftMs[i], left.get(round) ?? -Infinity));
    });
  }
  return left;
}

/** Distances of each stream's arrivals from that stream's own median. */
function ownJitter({ hosts, afterCloseMs }: LoadTally): Float64Array {
  const byHost = new Map<number, number[]>();
  hosts.forEach((host, i) => {
    const mine = byHost.get(host);
    if (mine) mine.push(afterCloseMs[i]);
    else byHost.set(host, [afterCloseMs[i]]);
  });
  const middles = new Map(
    [...byHost].map(([host, mine]) => [host, spreadOf(Float64Array.from(mine)).p50]),
  );
  return afterCloseMs.map((ms, i) => Math.abs(ms - middles.get(hosts[i])!));
}

/**
 * Of all rounds between the first and the last whole one, how many corrections are missing or late.
 * The first and the last are cut by the stretch's ends.
 */
function missedShare(tallies: readonly LoadTally[], hostCount: number): number {
  let first = Infinity;
  let last = -Infinity;
  for (const { rounds } of tallies) {
    for (const round of rounds) {
      first = Math.min(first, round);
      last = Math.max(last, round);
    }
  }
  const expected = (last - first - 1) * hostCount;
  if (!(expected > 0)) return 1;
  const seen = new Set<number>();
  for (const { hosts, rounds, afterCloseMs } of tallies) {
    hosts.forEach((host, i) => {
      const inside = rounds[i] > first && rounds[i] < last;
      if (inside && afterCloseMs[i] < ROUND_MS) seen.add((rounds[i] - first) * hostCount + host);
    });
  }
  return 1 - seen.size / expected;
}
