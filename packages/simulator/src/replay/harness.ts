/** Runs a made recording through the replay and judges it by its truth; for tests. */
import { Trace, type TraceOptions } from "../traces/trace.ts";
import type { Method } from "./edge-window.ts";
import { type ClosedRound, type Estimate, Replay } from "./replay.ts";

/** One row of a recording: from, to, pair, slot, sent and received (ns since the hosts' zeros). */
export type Row = [number, number, number, number, number, number];

/** A made recording, whole. */
export interface Recording {
  readonly trace: Trace;
  readonly rows: readonly Row[];
  /** Per host: what it and the reference show at the same instants (ns since their zeros). */
  readonly truth: readonly (readonly [number, number])[][];
}

/** Makes a recording. */
export function record(options: TraceOptions): Recording {
  const trace = new Trace(options);
  const rows: Row[] = [];
  const truth: [number, number][][] = trace.plan.hosts.map(() => []);
  trace.run(
    (...row) => rows.push(row),
    (host, hostNs, referenceNs) => truth[host].push([hostNs, referenceNs]),
  );
  return { trace, rows, truth };
}

/** Replays rows of a recording; returns the replay and its rounds. */
export function replayed(
  { trace }: Recording,
  rows: readonly Row[],
  method: Method = "default",
): { replay: Replay; rounds: ClosedRound[]; estimates: Estimate[] } {
  const rounds: ClosedRound[] = [];
  const replay = new Replay(trace.plan, method, (round) => rounds.push(round));
  const known = new Set<number>();
  for (const row of rows) {
    for (const host of [row[0], row[1]]) {
      if (!known.has(host)) replay.setBase(host, trace.zeros[host]);
      known.add(host);
    }
    replay.probe(...row);
  }
  return { replay, rounds, estimates: rounds.flatMap((round) => [...round.estimates]) };
}

/** Estimated minus true reference (ns); undefined beyond the truth. */
export function errorNs({ trace, truth }: Recording, estimate: Estimate): number | undefined {
  const hostNs = Number(estimate.hostNs - trace.zeros[estimate.host]);
  const line = truth[estimate.host];
  const next = line.findIndex(([atNs]) => atNs > hostNs);
  if (next < 1) return undefined;
  const [[h0, r0], [h1, r1]] = [line[next - 1], line[next]];
  const trueNs = r0 + ((hostNs - h0) / (h1 - h0)) * (r1 - r0);
  return Number(estimate.referenceNs - trace.zeros[0]) - estimate.earlierNs - trueNs;
}
