/**
 * Follows one host's clock from round to round.
 *
 * Problem: a round's mesh gives an offset with the noise of its newest probes; a correction is used up
 * to seconds later. Approach: a filter in time (`HostFilter`) on the offset against the reference, and
 * sigmas by which the uncertainty grows over the time of the correction's use. The bound is that of the
 * mesh about what is published, and no filter narrows it. The reference itself is exact.
 *
 * It cannot see: an error that all rounds share, such as an asymmetric path; it is in `slowSigmaNs` as
 * far as it is known, and inside the bound.
 */
import { defaultHoldoverOptions } from "@ttcs/discipline";
import { boundAround, HostFilter } from "@ttcs/estimator";
import { diffNs, type RawNanos } from "@ttcs/units";
import { LEAD_S } from "./correction.ts";
import type { Host } from "./host.ts";

/** No crystal's frequency is taken to change faster (ppb/s): the bound's promise. */
const FREQ_RATE_PPB_PER_S_MAX = defaultHoldoverOptions.freqRatePpbPerS;

/**
 * After so long without a fix the filter begins anew (s): by then the offset is foreseen so loosely that
 * paths which have changed meanwhile would pass for a frequency that no crystal takes on.
 */
const GAP_S_MAX = 4;

/**
 * While a mesh is new to a coordinator, what it makes of the biases of edges moves from round to round:
 * until then their error is none that stays (s).
 */
const YOUNG_S = 5;

/** What the mesh says of one host at the instant solved for. */
export interface Sighting {
  /** The host's raw clock there: whole ns and the rest. */
  readonly rawNs: RawNanos;
  readonly restNs: number;
  /** Standard uncertainty: what is new in this round, and what stays for many (ns). */
  readonly offsetSigmaNs: number;
  readonly slowSigmaNs: number;
  readonly freqPpb: number;
  readonly freqSigmaPpb: number;
  /** The rest is surely between these (ns). */
  readonly lowNs: number;
  readonly highNs: number;
  readonly edgeCount: number;
  readonly residualRmsNs: number;
}

/** Takes in what a round saw of a host. Why it does not fit; undefined: it does. */
export function trackHost(
  host: Pick<Host, "track">,
  atRefRawNs: RawNanos,
  seen: Sighting,
): string | undefined {
  host.track ??= {
    hostZeroNs: seen.rawNs,
    referenceZeroNs: atRefRawNs,
    filter: new HostFilter(),
    fix: undefined,
  };
  const { hostZeroNs, referenceZeroNs, filter, fix } = host.track;
  if (fix && diffNs(atRefRawNs, fix.atRefRawNs) * 1e-9 > GAP_S_MAX) filter.reset();
  const elapsedNs = diffNs(atRefRawNs, referenceZeroNs);
  const atS = elapsedNs * 1e-9;
  // raw - zero - elapsed, in whole ns first: both are large, their difference is small.
  const wholeNs = Number(seen.rawNs - hostZeroNs - (atRefRawNs - referenceZeroNs));
  const offsetNs = wholeNs + seen.restNs;
  const { accepted } = filter.update(
    atS,
    offsetNs,
    atS < YOUNG_S ? Math.hypot(seen.offsetSigmaNs, seen.slowSigmaNs) : seen.offsetSigmaNs,
    seen.freqPpb,
    seen.freqSigmaPpb,
  );
  if (!accepted) return "this round's offset does not fit the clock's course";
  const estimate = filter.predict(atS);
  if (!Number.isFinite(estimate.offsetNs + estimate.freqPpb + estimate.offsetSigmaNs)) {
    host.track = undefined;
    return "the clock's course was lost; it begins anew";
  }
  host.track.fix = {
    atRefRawNs,
    offsetSigmaNs: estimate.offsetSigmaNs,
    slowSigmaNs: seen.slowSigmaNs,
    ...growthOf(filter, atS, estimate.offsetSigmaNs),
    boundNs: boundAround(estimate.offsetNs, wholeNs + seen.lowNs, wholeNs + seen.highNs),
    edgeCount: seen.edgeCount,
    residualRmsNs: seen.residualRmsNs,
  };
  return undefined;
}

/**
 * Sigmas of frequency and of its rate with which the offset's grows as the filter foresees,
 *
 *     v(a) = v(0) + (sigma_f a)^2 + (sigma_r a^2 / 2)^2
 *
 * at half the lead and at the lead; correlations and the wander are in them.
 */
function growthOf(filter: HostFilter, atS: number, offsetSigmaNs: number) {
  const gained = (ageS: number) =>
    Math.max(0, filter.predict(atS + ageS).offsetSigmaNs ** 2 - offsetSigmaNs ** 2);
  const [half, whole] = [4 * gained(LEAD_S / 2), gained(LEAD_S)];
  const fourth = Math.min(whole, Math.max(0, (4 / 3) * (whole - half)));
  return {
    freqSigmaPpb: Math.sqrt(whole - fourth) / LEAD_S,
    freqRateSigmaPpbPerS: Math.min(FREQ_RATE_PPB_PER_S_MAX, (2 * Math.sqrt(fourth)) / LEAD_S ** 2),
  };
}

/** The reference is exact by definition: domain time is counted on its raw clock. */
export function fixReference(host: Host, atRefRawNs: RawNanos): undefined {
  host.track ??= {
    hostZeroNs: atRefRawNs,
    referenceZeroNs: atRefRawNs,
    filter: new HostFilter(),
    fix: undefined,
  };
  host.track.fix = {
    atRefRawNs,
    offsetSigmaNs: 0,
    slowSigmaNs: 0,
    freqSigmaPpb: 0,
    freqRateSigmaPpbPerS: 0,
    boundNs: 0,
    edgeCount: 0,
    residualRmsNs: 0,
  };
  return undefined;
}
