/**
 * Is what this host is told in accord with what its neighbours are told, over its own edges?
 *
 * Problem: a coordinator may send one host a line that is wrong. The host cannot know domain time by
 * itself, but it holds all four stamps of its edges, and neighbours say with every flush where domain
 * time lies on their raw clocks. Carried over the edge's measured offset, both must show the same time
 * within the edge's guaranteed interval and the bounds of both lines, and run at the same rate.
 *
 * The bounds come from the coordinator too, so they count up to a cap: whoever lies about a line may
 * lie about its bound. One neighbour may lie; more than half of those that can be compared decide.
 *
 * Cannot see: a coordinator that moves a whole fleet together (see `accumulated.ts`).
 */
import { type RawNanos, ROUND_NS } from "@ttcs/units";
import type { DomainLine } from "./domain-line.ts";

/** Beyond interval and bounds, for clocks that bend between two solves (ns). */
const MARGIN_NS = 10_000;
/** The bound of a line counts up to the edge's own interval and this (ns). */
const BOUND_CAP_NS = 30_000;

/** Two lines' rates may differ by this (ppb): domain time bends and crystals warm up between solves. */
const RATE_MARGIN_PPB = 2_000;
const RATE_SIGMAS = 6;

/** What one neighbour says of domain time at an instant of this host's raw clock. */
export interface AnchorSample {
  readonly hostId: string;
  readonly rawNs: RawNanos;
  /** Domain time there (Unix ns and a fraction of 0 to 1). */
  readonly domainUnixNs: bigint;
  readonly fractionNs: number;
  /** Rate of domain time on this host's raw clock by the neighbour's word (ppb), and its sigma. */
  readonly ratePpb: number;
  readonly rateSigmaPpb: number;
  /** Half of the edge's guaranteed interval (ns). */
  readonly intervalNs: number;
  /** Bound of the neighbour's line, by its own word (ns). */
  readonly boundNs: number;
  /** The rate that this host's clock needs by the neighbour's learnt rate and the edge (ppb). */
  readonly basePpb: number | undefined;
  /** True when the neighbour itself steers by its line, within all limits. */
  readonly vouched: boolean;
}

/** The neighbours' voices. */
export interface AnchorVerdict {
  readonly compared: number;
  readonly contradicting: number;
  /** True when more than half of the neighbours contradict. */
  readonly contradicts: boolean;
  /** Own line minus the neighbours', median (ns); NaN without any. */
  readonly apartNs: number;
  /** How much faster own line runs, median (ppb); NaN without any. */
  readonly fasterPpb: number;
}

/** Compares a line, that is within `boundNs` by its own word, with all samples. */
export function compareWithAnchors(
  line: DomainLine,
  boundNs: number,
  samples: readonly AnchorSample[],
): AnchorVerdict {
  const apart: number[] = [];
  const faster: number[] = [];
  let contradicting = 0;
  for (const s of samples) {
    const own = line.at(s.rawNs);
    const apartNs = Number(own.unixNs - s.domainUnixNs) + own.fractionNs - s.fractionNs;
    const cap = s.intervalNs + BOUND_CAP_NS;
    const limitNs =
      MARGIN_NS + s.intervalNs + Math.min(cap, boundNs) + Math.min(cap, Math.max(0, s.boundNs));
    // Written so that no number contradicts.
    const near = Math.abs(apartNs) <= limitNs;
    const fasterPpb = line.meanFreqPpb(s.rawNs, ROUND_NS) - s.ratePpb;
    const alike = Math.abs(fasterPpb) <= RATE_MARGIN_PPB + RATE_SIGMAS * s.rateSigmaPpb;
    if (!near || !alike) contradicting++;
    faster.push(fasterPpb);
    apart.push(apartNs);
  }
  const compared = samples.length;
  return {
    compared,
    contradicting,
    contradicts: contradicting > compared / 2,
    apartNs: median(apart),
    fasterPpb: median(faster),
  };
}

/** The rate that this host's clock needs, by most of its neighbours (ppb); undefined: too few say. */
export function vouchedBasePpb(samples: readonly AnchorSample[]): number | undefined {
  const rates = samples.flatMap(({ basePpb }) => (basePpb === undefined ? [] : [basePpb]));
  return rates.length >= 2 ? median(rates) : undefined;
}

/** The middle of some numbers; the lower of two; NaN for none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1];
}
