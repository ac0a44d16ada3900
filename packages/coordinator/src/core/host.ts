/** What the coordinator remembers of one host. Plain data; the modules beside it do the work. */
import type { HostFilter } from "@ttcs/estimator";
import type { Hello, Report } from "@ttcs/protocol";
import type { RawNanos } from "@ttcs/units";

/** One host of a domain. */
export interface Host {
  readonly id: string;
  /** Stands for the host in probes and fits. */
  readonly number: number;
  /** Order of joining, from 0. */
  readonly joinOrder: number;
  hello: Hello;
  /** The stream it is reached by; undefined while disconnected. */
  connection: number | undefined;
  /** Server's monotonic time since when it is disconnected (ms); NaN while connected. */
  disconnectedAtMs: number;
  report: Report | undefined;
  /** Server's monotonic time of the last report (ms); NaN: none yet. */
  reportedAtMs: number;
  /** Since when it reports LOCKED without a break (ms); NaN: it does not. */
  lockedSinceMs: number;
  /** Somebody else has tried to join as this host: from where, and when last (server's monotonic ms). */
  copy?: { readonly from: string; readonly atMs: number };
  /** Clock estimate against the reference; undefined until the first solve that reached it. */
  track: Track | undefined;
}

/**
 * A host's raw clock against the reference's:
 * `raw(t) = hostZero + (t - referenceZero) + offset(t)`, with t on the reference's raw clock.
 */
export interface Track {
  readonly hostZeroNs: RawNanos;
  readonly referenceZeroNs: RawNanos;
  /** Filter of `offset`; its time axis is seconds since `referenceZeroNs`. */
  readonly filter: HostFilter;
  /** The last solve that brought a fresh, accepted value. */
  fix: Fix | undefined;
}

/** What a solve said of one host. */
export interface Fix {
  /** Instant solved for, on the reference's raw clock. */
  readonly atRefRawNs: RawNanos;
  readonly offsetSigmaNs: number;
  /** Part of the offset's error that stays for many rounds, beyond the filter's (ns). */
  readonly slowSigmaNs: number;
  /** Of frequency (ppb) and its rate (ppb/s); they tell the offset's over the time of its use. */
  readonly freqSigmaPpb: number;
  readonly freqRateSigmaPpbPerS: number;
  /** The published offset is within this of the truth at `atRefRawNs` (ns). */
  readonly boundNs: number;
  readonly edgeCount: number;
  readonly residualRmsNs: number;
}

/** A host that has just come; `connection` is the stream it is reached by, if it is. */
export function newHost(number: number, hello: Hello, connection?: number): Host {
  return {
    id: hello.hostId,
    number,
    joinOrder: number,
    hello,
    connection,
    disconnectedAtMs: Number.NaN,
    report: undefined,
    reportedAtMs: Number.NaN,
    lockedSinceMs: Number.NaN,
    track: undefined,
  };
}

/** Hosts with a live stream. */
export const connectedHosts = (hosts: Iterable<Host>): Host[] =>
  [...hosts].filter((h) => h.connection !== undefined);
