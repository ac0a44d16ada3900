/**
 * How far the line that a host holds may be off: to domain time, and on to UTC.
 *
 * The reference's own line is domain time by definition while its corrections are fresh, but for
 * rates that it has not heard yet; without corrections another host may lead by now, and the line
 * ages like everybody's.
 */
import {
  bentNs,
  type DomainLine,
  FAR_PULL_LIMIT_PPB,
  FRESH_CORRECTION_S,
  followingBentNs,
  grownBoundNs,
  grownSigmaNs,
  KERNEL_FREQ_LIMIT_PPB,
} from "@ttcs/discipline";
import type { Correction } from "@ttcs/protocol";
import { diffNs, type RawNanos, ROUND_NS, SECOND_NS } from "@ttcs/units";

/** Domain time runs within this of UTC's pace: the largest pull, and as much for what is not known (ppb). */
const DOMAIN_PACE_PPB = 2 * FAR_PULL_LIMIT_PPB;
/** Corrections come every half second, some 0.15 s after the close: one this old has no successor (s). */
const MISSED_S = 1;
/** The last announced rate of domain time holds for a round at least (s). */
const ANNOUNCED_S = ROUND_NS / SECOND_NS;

/** Seconds since an instant of the raw clock. */
export const ageS = (sinceRawNs: bigint, nowRawNs: RawNanos): number =>
  Number(nowRawNs - sinceRawNs) * 1e-9;

/** Uncertainty of a line itself at a raw instant (ns). */
export function lineErrorOf(
  c: Correction,
  line: DomainLine,
  nowRawNs: RawNanos,
): { sigmaNs: number; boundNs: number } {
  const closeAgeS = ageS(c.windowCloseRawNs, nowRawNs);
  const unheardS = diffNs(nowRawNs, line.last.rawNs) / SECOND_NS - ANNOUNCED_S;
  // A round was missed: another host may lead by now, and domain time goes on from its line.
  const heirNs = closeAgeS < MISSED_S ? 0 : c.heirBoundNs;
  if (c.isReference && closeAgeS < FRESH_CORRECTION_S) {
    return { sigmaNs: 0, boundNs: heirNs + bentNs(unheardS, c.farPull) };
  }
  const solvedAgeS = Math.max(0, ageS(c.solvedRawNs, nowRawNs));
  return {
    sigmaNs: grownSigmaNs(c.offsetSigmaNs, c.freqSigmaPpb, c.freqRateSigmaPpbPerS, solvedAgeS),
    boundNs:
      grownBoundNs(c.boundNs, c.freqSigmaPpb, solvedAgeS) + heirNs + bentNs(unheardS, c.farPull),
  };
}

/**
 * Uncertainty of a line against the local reference's (ns), where there are several regions. Between
 * regions half of a long round trip is in every bound, and says nothing of how well a clock is kept.
 */
export function localErrorOf(
  c: Correction,
  line: DomainLine,
  nowRawNs: RawNanos,
): { sigmaNs: number; boundNs: number } {
  const solvedAgeS = Math.max(0, ageS(c.solvedRawNs, nowRawNs));
  const unheardS = diffNs(nowRawNs, line.last.rawNs) / SECOND_NS - ANNOUNCED_S;
  const bent = c.localReferenceHostId === c.referenceHostId ? bentNs : followingBentNs;
  return {
    sigmaNs: grownSigmaNs(c.localSigmaNs, c.freqSigmaPpb, c.freqRateSigmaPpbPerS, solvedAgeS),
    boundNs: grownBoundNs(c.localBoundNs, c.freqSigmaPpb, solvedAgeS) + bent(unheardS, c.farPull),
  };
}

/**
 * How far domain time can be from UTC, if the reference's own source is right (ns); undefined
 * without a source. Between two corrections domain time runs at its own pace; unheard of, the
 * source may drift as the kernel's maxerror supposes.
 */
export function domainUtcBoundOf(
  c: Correction | undefined,
  nowRawNs: RawNanos,
): number | undefined {
  if (!c?.referenceHasSource) return undefined;
  const sinceS = Math.max(0, ageS(c.windowCloseRawNs, nowRawNs));
  const heardS = Math.min(sinceS, FRESH_CORRECTION_S);
  const driftNs = heardS * DOMAIN_PACE_PPB + (sinceS - heardS) * KERNEL_FREQ_LIMIT_PPB;
  return Math.abs(c.referencePullNs) + c.referenceMaxErrorNs + driftNs;
}
