/**
 * The agent guards its own clock: a correction is checked before it is obeyed.
 *
 * No message, whoever signs it, may bring numbers that no crystal can have, an older leadership, or
 * a line that jumps away from the one obeyed until now. What it cannot see is a coordinator that
 * lies slowly within these limits.
 */
import type { RawNanos } from "@ttcs/units";
import { DomainLine, type DomainSegment } from "./domain-line.ts";

/** Crystals are within 100 ppm, a kernel setting within 500 ppm: beyond 1000 ppm a line is nonsense. */
const FREQ_LIMIT_PPB = 1_000_000;
/** A line that differs by more than this from the one in force is not obeyed once LOCKED (ns). */
const JUMP_LIMIT_NS = 10_000_000;
/** A window closes before its correction comes; half a window of tolerance (ns). */
const AHEAD_LIMIT_NS = 1_000_000_000;
/** More segments than a few announced rounds are a broken or hostile message. */
const SEGMENT_LIMIT = 16;

/** A correction as it came in. */
export interface Proposal {
  readonly term: bigint;
  readonly round: bigint;
  readonly segments: readonly DomainSegment[];
  readonly offsetSigmaNs: number;
  readonly freqSigmaPpb: number;
  readonly freqRateSigmaPpbPerS: number;
  readonly boundNs: number;
  readonly validForNs: number;
  /** Instants that the correction is counted from (raw ns). */
  readonly solvedRawNs: bigint;
  readonly windowCloseRawNs: bigint;
  readonly referencePullNs: number;
  readonly referenceMaxErrorNs: number;
  readonly heirBoundNs: number;
}

/** What the agent obeys at the moment. */
export interface Standing {
  readonly term: bigint;
  readonly round: bigint;
  readonly line: DomainLine | undefined;
  readonly lockedBefore: boolean;
}

/** The new line, or why the correction is refused. */
export type GuardResult =
  | { readonly ok: true; readonly line: DomainLine }
  | { readonly ok: false; readonly reason: string };

/** Checks a correction at raw instant `nowRawNs`. */
export function guardCorrection(p: Proposal, standing: Standing, nowRawNs: RawNanos): GuardResult {
  if (p.term < standing.term) return no(`term ${p.term} is older than ${standing.term}`);
  if (p.term === standing.term && p.round <= standing.round) {
    return no(`round ${p.round} is not newer than ${standing.round}`);
  }
  const problem = numbersProblem(p) ?? instantsProblem(p, nowRawNs);
  if (problem) return no(problem);
  const line = new DomainLine(p.segments);
  if (standing.line && standing.lockedBefore) {
    const jumpNs = differenceNs(line, standing.line, nowRawNs);
    if (Math.abs(jumpNs) > JUMP_LIMIT_NS) {
      return no(`the line jumps by ${jumpNs} ns, the limit is ${JUMP_LIMIT_NS} ns`);
    }
  }
  return { ok: true, line };
}

function numbersProblem(p: Proposal): string | undefined {
  if (p.segments.length === 0) return "no segment";
  if (p.segments.length > SEGMENT_LIMIT) return `${p.segments.length} segments`;
  for (let i = 0; i < p.segments.length; i++) {
    const s = p.segments[i];
    if (!(Math.abs(s.freqPpb) <= FREQ_LIMIT_PPB)) return `frequency ${s.freqPpb} ppb`;
    if (!(s.domainFractionNs >= 0 && s.domainFractionNs <= 1)) return "fraction out of range";
    if (i > 0 && s.rawNs <= p.segments[i - 1].rawNs) return "segments out of order";
  }
  for (const [name, value] of [
    ["sigma", p.offsetSigmaNs],
    ["frequency sigma", p.freqSigmaPpb],
    ["frequency rate sigma", p.freqRateSigmaPpbPerS],
    ["bound", p.boundNs],
    ["valid-for", p.validForNs],
    ["pull", Math.abs(p.referencePullNs)],
    ["maximum error", p.referenceMaxErrorNs],
    ["bound of heirs", p.heirBoundNs],
  ] as const) {
    if (!(value >= 0 && Number.isFinite(value))) return `${name} ${value}`;
  }
  return undefined;
}

/** A correction that counts from the future would never grow old. */
function instantsProblem(p: Proposal, nowRawNs: RawNanos): string | undefined {
  for (const instant of [p.solvedRawNs, p.windowCloseRawNs]) {
    const aheadNs = Number(instant - nowRawNs);
    if (aheadNs > AHEAD_LIMIT_NS) return `it counts from ${(aheadNs * 1e-9).toFixed(1)} s ahead`;
  }
  return undefined;
}

/** `a - b` at a raw instant (ns). */
function differenceNs(a: DomainLine, b: DomainLine, rawNs: RawNanos): number {
  const x = a.at(rawNs);
  const y = b.at(rawNs);
  return Number(x.unixNs - y.unixNs) + x.fractionNs - y.fractionNs;
}

const no = (reason: string): GuardResult => ({ ok: false, reason });
