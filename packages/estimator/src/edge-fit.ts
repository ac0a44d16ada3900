/**
 * One window of one edge: offset and frequency of the other host's raw clock against the owner's.
 *
 * Model: over 2 s both raw clocks are straight in true time, so delta(x) = B - A on A's axis is a
 * line. A probe A to B gives U = rxB - txA = delta + delay at x = txA, an upper bound; a probe B to
 * A gives L = txB - rxA = delta - delay at x = rxA, a lower bound (Geng et al., NSDI 2018). Both
 * directions stand on A's axis: with each sender's own clock as abscissa the offset between the two
 * would leak into the fit, times the frequency.
 *
 * Approach: the coded-pair filter (`pairs.ts`), then parallel lines through low quantiles of U and
 * high quantiles of L (`quantile-lines.ts`); the offset line lies midway. Steadier than a maximum
 * margin, because one early stamp or one lucky probe does not move a quantile.
 *
 * Sigma: asymptotic covariance of regression quantiles, tau (1 - tau) s^2 (X'X)^-1 (Koenker and
 * Bassett, Econometrica 46(1), 1978, theorem 4.2), sparsity s from neighbouring quantiles; both
 * carries in quadrature.
 *
 * Bound: every honest probe, kept or not, says delta <= U or delta >= L. What all lines between the
 * two have in common at the middle (`edge-bound.ts`), widened by the carries, holds the truth
 * whatever the asymmetry.
 *
 * Cannot see: an asymmetry of the minimum delays; it shifts the offset by half of itself, inside
 * the bound.
 */
import { SECOND_NS } from "@ttcs/units";
import { delaysAbove, guaranteedInterval, type OffsetLine } from "./edge-bound.ts";
import {
  newSelection,
  type ProbeColumns,
  type PureSelection,
  type PurityRule,
  selectPure,
} from "./pairs.ts";
import { grown } from "./quantile.ts";
import { surestQuantile } from "./quantile-choice.ts";
import { type Cloud, commonSlope, intercept, newCloud, sparsity } from "./quantile-lines.ts";
import { separate } from "./svm.ts";
import { whyNotStraight } from "./window-check.ts";

/** "paper": the published coded-pair filter and support vector machine, for comparison. */
export type FitMethod = "default" | "paper";

/** Error of the stamps that a host has carried to its raw clock (ns). */
export interface CarryError {
  readonly sigmaNs: number;
  readonly boundNs: number;
}

/** Probes of one window. Forward: owner to other. All stamps relative to each host's one base. */
export interface EdgeWindow {
  readonly forward: ProbeColumns;
  readonly reverse: ProbeColumns;
  readonly ownerCarry: CarryError;
  readonly otherCarry: CarryError;
  /** Probes sent in the window, arrived or not. */
  readonly sentForwardCount: number;
  readonly sentReverseCount: number;
}

/** A window that can be used. */
export interface TrustedFit {
  readonly trusted: true;
  /** Owner time at which the offset holds: the centroid of the kept probes (ns from its base). */
  readonly midNs: number;
  /** (other - its base) - (owner - its base) at `midNs` (ns, positive: other ahead). */
  readonly offsetNs: number;
  /** ns that the other clock gains on the owner's per second of the owner's. */
  readonly freqPpb: number;
  readonly offsetSigmaNs: number;
  readonly freqSigmaPpb: number;
  /** Part of the offset's error that stays for many windows, beyond `offsetSigmaNs` (ns). */
  readonly slowSigmaNs: number;
  /** Uncertainty of each end's stamps that all edges of that host share: in neither of the two (ns). */
  readonly ownerCarrySigmaNs: number;
  readonly otherCarrySigmaNs: number;
  /** The truth lies in [offset - below, offset + above] (ns, neither negative). */
  readonly belowBoundNs: number;
  readonly aboveBoundNs: number;
  /** Smallest delay against the fitted line, about the one-way delay (ns). */
  readonly delayForwardNsMin: number;
  readonly delayReverseNsMin: number;
  /** Median of the delays above the smallest (ns). */
  readonly jitterForwardNs: number;
  readonly jitterReverseNs: number;
  /** Share of probes lost, 0 to 1. */
  readonly lossForward: number;
  readonly lossReverse: number;
  /** Share of complete pairs that the filter kept, 0 to 1; 0: single probes were used. */
  readonly keptShare: number;
}

/** A window that cannot be used, and why, in plain words. */
export interface DistrustedFit {
  readonly trusted: false;
  readonly reason: string;
  readonly lossForward: number;
  readonly lossReverse: number;
}

/** What a window came to. */
export type EdgeFitResult = TrustedFit | DistrustedFit;

/** Probes per direction below which a fit is a guess. */
const MIN_PROBES = 10;
/** Share of the shorter direction's span in which both directions must have probes. */
const MIN_OVERLAP = 0.6;
/** No usable clock is off by more (ns per ns): 1000 ppm. */
const SLOPE_LIMIT = 1e-3;
/** When half of the pairs have a larger gap error, hardly any probe passed undisturbed (ns). */
const GAP_CEILING_NS = 1_000_000;
/** Stamps are whole ns: standard deviation of the rounding (ns). */
export const ROUNDING_SIGMA_NS = 0.29;

/**
 * Quantile that the lines follow. Of 0.03 to 0.25, 0.05 had the least error on synthetic windows
 * from idle to 90 % load: deep enough to pass below queues, high enough for a small share of early
 * stamps; for a larger one see `quantile-choice.ts`.
 */
const TAU_MIN = 0.05;
/** Points that should lie beyond a line; with few points the quantile is raised for them. */
const POINTS_BEYOND = 2.5;
const TAU_MAX = 0.25;
/** Half width of the quotient that gives the sparsity, as a share of tau. */
const SPARSITY_WIDTH = 0.66;

/** Error of the paper's line against the quantile lines' sigma, about as measured. */
const MARGIN_OFFSET_SIGMAS = 2;
const MARGIN_SLOPE_SIGMAS = 2;

const forwardPure = newSelection();
const reversePure = newSelection();
const upper = newCloud();
const lower = newCloud();

/** Fits one window. Never throws on what the network brought; allocates no column once warm. */
export function fitEdge(
  window: EdgeWindow,
  method: FitMethod = "default",
  rule: PurityRule = method === "paper" ? "paper" : "wide",
): EdgeFitResult {
  const lossForward = lossOf(window.forward.length, window.sentForwardCount);
  const lossReverse = lossOf(window.reverse.length, window.sentReverseCount);
  const distrust = (reason: string): DistrustedFit => ({
    trusted: false,
    reason,
    lossForward,
    lossReverse,
  });
  selectPure(window.forward, forwardPure, rule);
  selectPure(window.reverse, reversePure, rule);
  const reason = whyUnusable(forwardPure, reversePure);
  if (reason !== undefined) return distrust(reason);

  // y is taken relative to a first value, so that centred numbers stay small and exact.
  const zeroNs = forwardPure.rxNs[0] - forwardPure.txNs[0];
  fillCloud(upper, forwardPure.txNs, forwardPure.rxNs, forwardPure.length, zeroNs);
  fillCloud(lower, reversePure.rxNs, reversePure.txNs, reversePure.length, zeroNs);
  const overlap = overlapShare(upper, lower);
  if (overlap < MIN_OVERLAP) {
    return distrust(`the directions overlap in ${Math.round(100 * overlap)} % of their time only`);
  }
  const fewest = Math.min(upper.length, lower.length);
  const lowest = Math.min(TAU_MAX, Math.max(TAU_MIN, POINTS_BEYOND / fewest));
  const near = commonSlope(upper, lower, lowest, guessSlope(), SLOPE_LIMIT);
  const choose = method !== "paper" && Math.abs(near) < SLOPE_LIMIT;
  const tau = choose ? surestQuantile(upper, lower, lowest, near, SPARSITY_WIDTH) : lowest;
  const alpha = tau === lowest ? near : commonSlope(upper, lower, tau, near, SLOPE_LIMIT);
  if (Math.abs(alpha) > 0.999 * SLOPE_LIMIT) return distrust("frequency beyond 1000 ppm");

  const quantileLine = lineOf(alpha, tau, zeroNs, window);
  const line = method === "paper" ? marginLine(quantileLine, zeroNs) : quantileLine;
  if (line === undefined) return distrust("no line separates the directions");
  const carryBoundNs = window.ownerCarry.boundNs + window.otherCarry.boundNs;
  const bound = guaranteedInterval(window.forward, window.reverse, line, carryBoundNs);
  if (!(bound.lowNs <= bound.highNs)) return distrust("probes contradict each other");
  const bent = method === "paper" ? undefined : whyNotStraight(upper, lower, line.slope);
  if (bent !== undefined) return distrust(bent);
  const forward = delaysAbove(window.forward, line, true);
  const reverse = delaysAbove(window.reverse, line, false);
  const pairCount = forwardPure.pairCount + reversePure.pairCount;
  const keptPairCount = forwardPure.keptPairCount + reversePure.keptPairCount;
  return {
    trusted: true,
    midNs: line.midNs,
    offsetNs: line.offsetNs,
    freqPpb: line.slope * SECOND_NS,
    offsetSigmaNs: line.offsetSigmaNs,
    freqSigmaPpb: line.slopeSigma * SECOND_NS,
    slowSigmaNs: 0,
    ownerCarrySigmaNs: window.ownerCarry.sigmaNs,
    otherCarrySigmaNs: window.otherCarry.sigmaNs,
    belowBoundNs: Math.max(0, line.offsetNs - bound.lowNs),
    aboveBoundNs: Math.max(0, bound.highNs - line.offsetNs),
    delayForwardNsMin: forward.minNs,
    delayReverseNsMin: reverse.minNs,
    jitterForwardNs: forward.jitterNs,
    jitterReverseNs: reverse.jitterNs,
    lossForward,
    lossReverse,
    keptShare: pairCount === 0 ? 0 : keptPairCount / pairCount,
  };
}

/** Share of probes that did not arrive, 0 to 1. */
export function lossOf(arrivedCount: number, sentCount: number): number {
  if (!(sentCount > 0)) return 0;
  return Math.min(1, Math.max(0, 1 - arrivedCount / sentCount));
}

function whyUnusable(forward: PureSelection, reverse: PureSelection): string | undefined {
  const fewest = Math.min(forward.usableCount, reverse.usableCount);
  if (fewest < MIN_PROBES) {
    return `too few probes: ${forward.usableCount} forward, ${reverse.usableCount} reverse`;
  }
  const gapNs = Math.max(forward.gapMedianNs, reverse.gapMedianNs);
  if (gapNs > GAP_CEILING_NS) return `gaps of pairs scatter by ${(gapNs / 1e6).toFixed(1)} ms`;
  return undefined;
}

/** Points (x, rx - tx) or (x, tx - rx) of the kept probes, relative to `zeroNs`. */
function fillCloud(
  cloud: Cloud,
  xNs: Float64Array,
  otherNs: Float64Array,
  count: number,
  zeroNs: number,
): void {
  cloud.length = count;
  cloud.dxNs = grown(cloud.dxNs, count);
  cloud.yNs = grown(cloud.yNs, count);
  let mean = 0;
  cloud.firstNs = xNs[0];
  cloud.lastNs = xNs[0];
  for (let i = 0; i < count; i++) {
    mean += (xNs[i] - mean) / (i + 1);
    if (xNs[i] < cloud.firstNs) cloud.firstNs = xNs[i];
    if (xNs[i] > cloud.lastNs) cloud.lastNs = xNs[i];
  }
  cloud.meanXNs = mean;
  for (let i = 0; i < count; i++) {
    cloud.dxNs[i] = xNs[i] - mean;
    cloud.yNs[i] = otherNs[i] - xNs[i] - zeroNs;
  }
}

/** Time that both clouds cover, as a share of the shorter one's; 0 when that has no length. */
function overlapShare(a: Cloud, b: Cloud): number {
  const common = Math.min(a.lastNs, b.lastNs) - Math.max(a.firstNs, b.firstNs);
  const shorter = Math.min(a.lastNs - a.firstNs, b.lastNs - b.firstNs);
  return shorter > 0 ? Math.max(0, common) / shorter : 0;
}

/** The line midway, with its uncertainties. */
function lineOf(alpha: number, tau: number, zeroNs: number, window: EdgeWindow): OffsetLine {
  const levelUpper = intercept(upper, tau, alpha);
  const levelLower = intercept(lower, 1 - tau, alpha);
  // At the mean of the two centroids the slope's error cancels: each level is exact at its own.
  const midNs = (upper.meanXNs + lower.meanXNs) / 2;
  const spreadUpper = sparsity(upper, tau, alpha, SPARSITY_WIDTH * tau);
  const spreadLower = sparsity(lower, 1 - tau, alpha, SPARSITY_WIDTH * tau);
  const tauVariance = tau * (1 - tau);
  const levelVariance =
    (tauVariance * (spreadUpper ** 2 / upper.length + spreadLower ** 2 / lower.length)) / 4;
  const sxxUpper = sumOfSquares(upper);
  const sxxLower = sumOfSquares(lower);
  // One slope for two densities: the sandwich of the joint objective.
  const curvature = sxxUpper / spreadUpper + sxxLower / spreadLower;
  const slopeVariance = (tauVariance * (sxxUpper + sxxLower)) / (curvature * curvature);
  const carrySigmaNs = Math.hypot(
    window.ownerCarry.sigmaNs,
    window.otherCarry.sigmaNs,
    ROUNDING_SIGMA_NS,
  );
  // The carries' errors differ from piece to piece, about one a second: they tilt the line too.
  const spanNs = Math.max(upper.lastNs, lower.lastNs) - Math.min(upper.firstNs, lower.firstNs);
  return {
    midNs,
    slope: alpha,
    slopeSigma: Math.hypot(Math.sqrt(slopeVariance), (2 * carrySigmaNs) / spanNs),
    offsetNs: zeroNs + (levelUpper + levelLower) / 2,
    offsetSigmaNs: Math.hypot(Math.sqrt(levelVariance), ROUNDING_SIGMA_NS),
  };
}

/**
 * The paper's line, found near the quantile lines. It tells no sigma of its own: a margin follows a
 * few points, and is off by some of the quantile lines' sigmas.
 */
function marginLine(near: OffsetLine, zeroNs: number): OffsetLine | undefined {
  const start = { slope: near.slope, heightNs: near.offsetNs - zeroNs };
  const found = separate(upper, lower, start, near.midNs);
  if (!found) return undefined;
  return {
    midNs: near.midNs,
    slope: found.slope,
    slopeSigma: MARGIN_SLOPE_SIGMAS * near.slopeSigma,
    offsetNs: zeroNs + found.heightNs,
    offsetSigmaNs: MARGIN_OFFSET_SIGMAS * near.offsetSigmaNs,
  };
}

function sumOfSquares(cloud: Cloud): number {
  let sum = 0;
  for (let i = 0; i < cloud.length; i++) sum += cloud.dxNs[i] * cloud.dxNs[i];
  return sum;
}

/** Where to look for the slope: between the outermost points of the first and the last third. */
function guessSlope(): number {
  const third = Math.floor(upper.length / 3);
  let first = 0;
  let last = upper.length - 1;
  for (let i = 0; i < third; i++) {
    if (upper.yNs[i] < upper.yNs[first]) first = i;
    const j = upper.length - 1 - i;
    if (upper.yNs[j] < upper.yNs[last]) last = j;
  }
  const run = upper.dxNs[last] - upper.dxNs[first];
  const slope = (upper.yNs[last] - upper.yNs[first]) / run;
  return Number.isFinite(slope) ? Math.max(-SLOPE_LIMIT, Math.min(SLOPE_LIMIT, slope)) : 0;
}
