/**
 * How a bound grows while no fresh estimate arrives.
 *
 *   bound(age) = bound + (4 sigma_f + drift) age + 1/2 kappa age^2
 *
 * `sigma_f` is the uncertainty of the frequency at the last estimate, `drift` an allowance for what
 * the fit of a straight line over a window hides (half a window of frequency change), and `kappa`
 * the fastest lasting change of frequency that the crystal is trusted not to exceed. Both are
 * promises about hardware, not measurements: 100 ppb and 50 ppb/s (0.05 ppm/s, the strongest
 * temperature swing the estimator is judged by). A clock that breaks them breaks the bound.
 */

/**
 * The coordinator bends domain time by at most this (ppb per s): 25 ppb a round. A host that hears
 * nothing of it has to allow for it; see `bentNs`.
 */
export const DOMAIN_FREQ_RATE_PPB_PER_S = 50;

/**
 * How far domain time can have left a line that was announced up to `unheardS` ago (ns).
 *
 * @param unheardS time since the end of what was announced (s); not positive: nothing is unknown
 */
export function bentNs(unheardS: number): number {
  const s = Math.max(0, unheardS);
  return 0.5 * DOMAIN_FREQ_RATE_PPB_PER_S * s * s;
}

/** Promises about the oscillator. */
export interface HoldoverOptions {
  /** Growth of the bound from the first instant on (ppb). */
  readonly driftPpb: number;
  /** Fastest lasting change of frequency (ppb per s). */
  readonly freqRatePpbPerS: number;
}

/** See the module head. */
export const defaultHoldoverOptions: HoldoverOptions = { driftPpb: 100, freqRatePpbPerS: 50 };

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

/** Standard uncertainty of a line's value at some age (ns). */
export function grownSigmaNs(
  offsetSigmaNs: number,
  freqSigmaPpb: number,
  ageS: number,
  options: HoldoverOptions = defaultHoldoverOptions,
): number {
  const wanderNs = 0.25 * options.freqRatePpbPerS * ageS * ageS * 0.5;
  return Math.hypot(offsetSigmaNs, freqSigmaPpb * ageS, wanderNs);
}
