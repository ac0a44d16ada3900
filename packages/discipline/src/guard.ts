/**
 * The agent guards its own clock: a correction is checked before it is obeyed.
 *
 * No message, whoever signs it, may bring numbers that no crystal can have, an older leadership, a
 * line that breaks within itself or jumps away from the one obeyed until now, or a rate that leaves
 * what the host has learnt. What it cannot see is a coordinator that lies slowly within these limits:
 * that is for `anchor-check.ts` and `accumulated.ts`.
 */
import { addNs, type RawNanos } from "@ttcs/units";
import { DomainLine, type DomainSegment } from "./domain-line.ts";
import { KINK_LIMIT_NS, RATE_LIMIT_PPB, unheardOfNs } from "./limits.ts";

/** Crystals are within 100 ppm, a kernel setting within 500 ppm: beyond 1000 ppm a line is nonsense. */
const FREQ_LIMIT_PPB = 1_000_000;
/** Jumps of a line on a clock that is not ours to steer (ns): its daemon may do as it likes. */
const OBSERVER_JUMP_LIMIT_NS = 10_000_000;
/** Nothing is announced further ahead than this (ns): rates are known two rounds before. */
const ANNOUNCED_LIMIT_NS = 10_000_000_000;
/** A window closes before its correction comes; half a window of tolerance (ns). */
const AHEAD_LIMIT_NS = 1_000_000_000;
/** The year 2255: what comes later is near the end of 64 bits, which no message can say (Unix ns). */
const UNIX_NS_MAX = 9_000_000_000_000_000_000n;
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
  /** True when the line steers a clock: then all limits hold. */
  readonly steers: boolean;
  /** How far a line may jump that steers a clock (ns). */
  readonly jumpLimitNs: number;
  /** Since a correction was obeyed last (s). */
  readonly ageS: number;
  /** How far the raw clock has fallen behind since, as the edges to anchors show (ns). */
  readonly rawJumpNs: number;
  /** Rates that the clock is known to need: what was learnt, what the anchors vouch for (ppb). */
  readonly basesPpb: readonly number[];
}

/** The new line, or why the correction is refused; `jumped`: it is, for its jump and nothing else. */
export type GuardResult =
  | { readonly ok: true; readonly line: DomainLine }
  | { readonly ok: false; readonly reason: string; readonly jumped?: DomainLine };

/** Checks a correction at raw instant `nowRawNs`. */
export function guardCorrection(p: Proposal, standing: Standing, nowRawNs: RawNanos): GuardResult {
  if (p.term < standing.term) return no(`term ${p.term} is older than ${standing.term}`);
  if (p.term === standing.term && p.round <= standing.round) {
    return no(`round ${p.round} is not newer than ${standing.round}`);
  }
  const problem = numbersProblem(p) ?? instantsProblem(p, nowRawNs);
  if (problem) return no(problem);
  const line = new DomainLine(p.segments);
  const { unixNs } = line.at(nowRawNs);
  if (unixNs > UNIX_NS_MAX || unixNs < -UNIX_NS_MAX) return no(`domain time would be ${unixNs} ns`);
  if (!standing.lockedBefore) return { ok: true, line };
  const strange = strangeRate(line, standing);
  if (strange) return no(strange);
  const jump = strangeJump(line, standing, nowRawNs);
  return jump ? { ok: false, reason: jump, jumped: line } : { ok: true, line };
}

/** A clock that has been LOCKED does not need another rate all at once. */
function strangeRate(line: DomainLine, { steers, basesPpb }: Standing): string | undefined {
  if (!steers || basesPpb.length === 0) return undefined;
  for (const { freqPpb } of line.segments) {
    if (basesPpb.some((base) => Math.abs(freqPpb - base) <= RATE_LIMIT_PPB)) continue;
    const [learntPpb] = basesPpb;
    const byPpm = ((freqPpb - learntPpb) / 1000).toFixed(1);
    return `its rate is ${byPpm} ppm off the learnt one, the limit is ${RATE_LIMIT_PPB / 1000} ppm`;
  }
  return undefined;
}

/** Nor does domain time go elsewhere. */
function strangeJump(line: DomainLine, standing: Standing, nowRawNs: RawNanos): string | undefined {
  const { steers, ageS, rawJumpNs } = standing;
  if (!standing.line) return undefined;
  const jumpNs = differenceNs(line, standing.line, nowRawNs) - rawJumpNs;
  const limitNs = steers ? standing.jumpLimitNs + unheardOfNs(ageS) : OBSERVER_JUMP_LIMIT_NS;
  if (Math.abs(jumpNs) <= limitNs) return undefined;
  return `the line jumps by ${Math.round(jumpNs)} ns, the limit is ${Math.round(limitNs)} ns`;
}

function numbersProblem(p: Proposal): string | undefined {
  if (p.segments.length === 0) return "no segment";
  if (p.segments.length > SEGMENT_LIMIT) return `${p.segments.length} segments`;
  for (let i = 0; i < p.segments.length; i++) {
    const s = p.segments[i];
    if (!(Math.abs(s.freqPpb) <= FREQ_LIMIT_PPB)) return `frequency ${s.freqPpb} ppb`;
    if (!(s.domainFractionNs >= 0 && s.domainFractionNs <= 1)) return "fraction out of range";
    if (i === 0) continue;
    const before = p.segments[i - 1];
    if (s.rawNs <= before.rawNs) return "segments out of order";
    const kinkNs = kinkBetween(before, s);
    if (!(Math.abs(kinkNs) <= KINK_LIMIT_NS)) return `the line breaks by ${Math.round(kinkNs)} ns`;
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

/** How far a segment begins from where the one before it ends (ns). */
function kinkBetween(before: DomainSegment, next: DomainSegment): number {
  const end = new DomainLine([before]).at(next.rawNs);
  return Number(next.domainUnixNs - end.unixNs) + next.domainFractionNs - end.fractionNs;
}

/** A correction that counts from the future would never grow old. */
function instantsProblem(p: Proposal, nowRawNs: RawNanos): string | undefined {
  for (const instant of [p.solvedRawNs, p.windowCloseRawNs]) {
    const aheadNs = Number(instant - nowRawNs);
    if (aheadNs > AHEAD_LIMIT_NS) return `it counts from ${(aheadNs * 1e-9).toFixed(1)} s ahead`;
  }
  const last = p.segments[p.segments.length - 1];
  if (last.rawNs > addNs(nowRawNs, ANNOUNCED_LIMIT_NS)) return "it announces rates too far ahead";
  return undefined;
}

/** `a - b` at a raw instant (ns). */
function differenceNs(a: DomainLine, b: DomainLine, rawNs: RawNanos): number {
  const x = a.at(rawNs);
  const y = b.at(rawNs);
  return Number(x.unixNs - y.unixNs) + x.fractionNs - y.fractionNs;
}

const no = (reason: string): GuardResult => ({ ok: false, reason });
