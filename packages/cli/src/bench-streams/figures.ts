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
  /** The same where the agents' own processes were punctual, and the share of rounds in which they were. */
  readonly punctualMs: Spread;
  readonly punctualShare: number;
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

/**
 * A round is the coordinator's own when all of its reports have left within this of their time (ms). What
 * hundreds of agents in one process delay is theirs, where real ones have a machine each.
 */
const PUNCTUAL_MS = 20;

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
  const { late, all } = lateRounds(tallies);
  const punctual = tallies.map(({ rounds, afterCloseMs }) =>
    afterCloseMs.filter((_, i) => !late.has(rounds[i])),
  );
  const sum = (of: (tally: LoadTally) => number) => tallies.reduce((s, t) => s + of(t), 0);
  return {
    afterCloseMs: spreadOf(afterClose),
    jitterMs: spreadOf(afterClose.map((ms) => Math.abs(ms - middleMs))),
    ownJitterMs: spreadOf(joined(tallies.map(ownJitter))),
    punctualMs: spreadOf(joined(punctual).map((ms) => Math.abs(ms - middleMs))),
    punctualShare: 1 - late.size / Math.max(1, all.size),
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

/** Rounds in which a report has left late, and all. */
function lateRounds(tallies: readonly LoadTally[]) {
  const late = new Set<number>();
  const all = new Set<number>();
  for (const { reportedRounds, latestMs } of tallies) {
    reportedRounds.forEach((round, i) => {
      all.add(round);
      if (latestMs[i] > PUNCTUAL_MS) late.add(round);
    });
  }
  return { late, all };
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
