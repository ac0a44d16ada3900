/**
 * How a bound grows while no fresh estimate arrives.
 *
 *   bound(age) = bound + (4 sigma_f + drift) age + 1/2 kappa age^2
 *
 * `sigma_f` is the uncertainty of the frequency at the last estimate, `drift` an allowance for what a straight line hides (in the end it is
 * the tangent a second later: a second of frequency change), and `kappa`
 * the fastest lasting change of frequency between two crystals, the host's and the reference's. Both
 * are promises about hardware, not measurements: 100 ppb, and 100 ppb/s, twice 0.05 ppm/s, the
 * strongest temperature swing of one crystal. Clocks that break them break the bound.
 */
import { ROUND_NS, SECOND_NS } from "@ttcs/units";

/**
 * The coordinator bends domain time by at most this (ppb per s): 25 ppb a round. A host that hears
 * nothing of it has to allow for it; see `bentNs`.
 */
export const DOMAIN_FREQ_RATE_PPB_PER_S = 50;
/** The same while domain time is pulled over a long way: 250 ppb a round. */
export const FAR_FREQ_RATE_PPB_PER_S = 500;
/** How far domain time may run from the reference's own rate during a far pull (ppb). */
export const FAR_PULL_LIMIT_PPB = 10_000;
/** The line of a region that follows domain time bends by at most this (ppb per s): 100 ppb a round. */
export const FOLLOWING_FREQ_RATE_PPB_PER_S = 200;
/**
 * No far pull begins while a host of the domain has been silent for less than this (s): whoever is
 * cut off knows that for so long nothing worse than the ordinary bending can happen.
 */
export const FAR_PULL_SILENCE_S = 60;
/** A host counts as silent this long after its last report at the latest (s). */
export const SILENT_AFTER_S = 2;

/**
 * How far domain time can have left a line that was announced up to `unheardS` ago (ns).
 *
 * @param unheardS time since the end of what was announced (s); not positive: nothing is unknown
 * @param farPull true when a far pull was under way, by the last that was heard
 */
export function bentNs(unheardS: number, farPull = false): number {
  const s = Math.max(0, unheardS);
  // Rates change in steps, a round each: half a step more than the smooth ramp.
  const stepS = ROUND_NS / SECOND_NS;
  const nearNs = 0.5 * DOMAIN_FREQ_RATE_PPB_PER_S * s * (s + stepS);
  const farS = Math.max(0, s - (farPull ? 0 : FAR_PULL_SILENCE_S - SILENT_AFTER_S));
  // From one end of the allowed range to the other, and there it stays.
  const rampS = Math.min(farS, (2 * FAR_PULL_LIMIT_PPB) / FAR_FREQ_RATE_PPB_PER_S);
  const rampPpb = FAR_FREQ_RATE_PPB_PER_S * rampS;
  return nearNs + 0.5 * rampPpb * (rampS + stepS) + rampPpb * (farS - rampS);
}

/** The same of a region's line that follows domain time; it may lead the domain itself by now (ns). */
export function followingBentNs(unheardS: number, farPull = false): number {
  const s = Math.max(0, unheardS);
  const morePpbPerS = FOLLOWING_FREQ_RATE_PPB_PER_S - DOMAIN_FREQ_RATE_PPB_PER_S;
  return bentNs(s, farPull) + 0.5 * morePpbPerS * s * (s + ROUND_NS / SECOND_NS);
}

/** Promises about the oscillator. */
export interface HoldoverOptions {
  /** Growth of the bound from the first instant on (ppb). */
  readonly driftPpb: number;
  /** Fastest lasting change of frequency (ppb per s). */
  readonly freqRatePpbPerS: number;
}

/** See the module head. */
export const defaultHoldoverOptions: HoldoverOptions = { driftPpb: 100, freqRatePpbPerS: 100 };

/** Standard uncertainties to which a guaranteed statement about a fitted value extends. */
export const BOUND_SIGMAS = 4;

/**
 * The bound of a line at some age.
 *
 * @param boundNs guaranteed bound at the solved instant (ns)
 * @param freqSigmaPpb standard uncertainty of the line's frequency there (ppb)
 * @param ageS time since the solved instant (s, not negative)
 */
export function grownBoundNs(
  boundNs: number,
  freqSigmaPpb: number,
  ageS: number,
  options: HoldoverOptions = defaultHoldoverOptions,
): number {
  const linearPpb = BOUND_SIGMAS * freqSigmaPpb + options.driftPpb;
  return boundNs + linearPpb * ageS + 0.5 * options.freqRatePpbPerS * ageS * ageS;
}

/** The wander of the last minutes tells that of so long (s); what comes later is anybody's guess. */
const FORESEEN_S = 1;

/**
 * Standard uncertainty of a line's value at some age (ns).
 *
 * @param freqRateSigmaPpbPerS standard uncertainty of the frequency's rate, the wander included (ppb/s)
 */
export function grownSigmaNs(
  offsetSigmaNs: number,
  freqSigmaPpb: number,
  freqRateSigmaPpbPerS: number,
  ageS: number,
  options: HoldoverOptions = defaultHoldoverOptions,
): number {
  const bentNs = 0.5 * freqRateSigmaPpbPerS * ageS * ageS;
  // What is promised at the worst is eight times what is usual.
  const unforeseenNs = 0.0625 * options.freqRatePpbPerS * Math.max(0, ageS - FORESEEN_S) ** 2;
  return Math.hypot(offsetSigmaNs, freqSigmaPpb * ageS, Math.max(bentNs, unforeseenNs));
}
