/**
 * What a piece of the carry's line inherits from its predecessor.
 *
 * The kernel applies a frequency at its next tick (`adjtimex(2)`; kernel/time/timekeeping.c), a
 * step at once. So the value goes on where the old line ends, moved by the step; the slope changes
 * by the written amount. The instant within the tick is unknown: its mean is used and its spread
 * enters the sigma, its largest value the bound.
 */
import { type LinePrior, type Segment, UNKNOWN_SLOPE_SIGMA_PPB } from "./carry-segment.ts";

/** A write has taken effect after this: two ticks of the slowest usual kernel, 100 Hz (s). */
export const GAP_S = 0.02;
/**
 * A write that moves no stamp by more than this within the gap leaves none: its stamps are carried
 * by the new line (ns). A settled discipline writes changes of some 10 ppb, so hardly a stamp is lost.
 */
const GAP_ERROR_NS = 5;
/** When in the gap a frequency takes effect: mean and standard deviation, HZ 100 to 1000 (s). */
const EFFECT_MEAN_S = 0.004;
const EFFECT_SIGMA_S = 0.004;
/** A written rate is realised to within this; the kernel feeds its rounding back (ppb). */
const SLOPE_SIGMA_PPB = 5;
/** Continuity across a break holds to within this: rounding and residual curvature (ns). */
const VALUE_SIGMA_NS = 3;
/** A step given as a double is exact to this share of itself. */
const STEP_PRECISION = 2 ** -52;

/** A change of the system clock, as far as it is known. */
export interface ClockChange {
  /** Positive: the system clock runs faster from then on (ppb). */
  readonly rateChangePpb: number;
  /** Positive: the system clock was moved forward (ns). */
  readonly stepNs: number;
  /** Length of the time within which it was made, anywhere (s); 0: at a known instant. */
  readonly withinS: number;
}

/**
 * From the middle of the time of a change until stamps can be carried again (s): 0 where the change is
 * too small to matter.
 */
export function gapAfter({ rateChangePpb, stepNs, withinS }: ClockChange): number {
  const small = stepNs === 0 && Math.abs(rateChangePpb) * (GAP_S + withinS) <= GAP_ERROR_NS;
  return small ? 0 : GAP_S + withinS / 2;
}

/** Nothing is known: a clock slewed by anything the kernel allows. */
export function unknownPrior(): LinePrior {
  return {
    valueNs: 0,
    valueSigmaNs: Number.POSITIVE_INFINITY,
    slopePpb: 0,
    slopeSigmaPpb: UNKNOWN_SLOPE_SIGMA_PPB,
    boundNs: Number.POSITIVE_INFINITY,
    widthLimitNs: Number.POSITIVE_INFINITY,
  };
}

/** What the line says of its own continuation at x (s), without a write. */
export function priorAt(old: Segment, xS: number): LinePrior {
  return {
    valueNs: old.valueAt(xS),
    valueSigmaNs: old.usable ? old.sigmaAt(xS) : Number.POSITIVE_INFINITY,
    slopePpb: old.slopePpb,
    slopeSigmaPpb: Math.hypot(old.slopeSigmaPpb, SLOPE_SIGMA_PPB),
    boundNs: old.boundAt(xS),
    widthLimitNs: old.widthLimitNs,
  };
}

/**
 * What the old line and a change say of the next piece, which begins `gapS` after the change.
 *
 * @param breakS the change, or the middle of the time within which it was made, on the old line's
 *   scale (s).
 */
export function priorAfter(
  old: Segment,
  breakS: number,
  { rateChangePpb, stepNs, withinS }: ClockChange,
  gapS: number,
): LinePrior {
  const prior = priorAt(old, breakS);
  const changePpb = Math.abs(rateChangePpb);
  const precisionNs = Math.abs(stepNs) * STEP_PRECISION;
  prior.valueNs += stepNs + gapS * old.slopePpb + (gapS - EFFECT_MEAN_S) * rateChangePpb;
  prior.valueSigmaNs = Math.hypot(
    prior.valueSigmaNs,
    changePpb * Math.hypot(EFFECT_SIGMA_S, withinS / Math.sqrt(12)),
    precisionNs,
    VALUE_SIGMA_NS,
    GAP_S * prior.slopeSigmaPpb,
  );
  prior.slopePpb += rateChangePpb;
  prior.boundNs += changePpb * (GAP_S - EFFECT_MEAN_S + withinS / 2);
  prior.boundNs += precisionNs + GAP_S * SLOPE_SIGMA_PPB;
  return prior;
}
