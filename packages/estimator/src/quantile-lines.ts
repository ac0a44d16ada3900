/**
 * Two parallel lines through quantiles: the lower edge of one cloud of points, the upper of
 * another.
 *
 * Problem: forward probes give points above the line sought, reverse probes points below it, both
 * with delays that scatter in one direction. Approach: minimise over slope alpha and intercepts a,
 * b
 *
 *     sum rho_tau(U - (alpha x + a)) + sum rho_{1-tau}(L - (alpha x + b))
 *
 * with rho_q(u) = u (q - 1[u < 0]), the check function of Koenker and Bassett, "Regression
 * Quantiles", Econometrica 46(1), 1978. For a given alpha, a and b are sample quantiles of the
 * residuals; what is left is convex in alpha, and its derivative is -sum psi(r) x once the point on
 * the line takes the value that makes sum psi = 0 (the dual of the linear programme). So alpha is
 * found by bisection: exact to the last digits, no programme to solve, nothing allocated.
 *
 * As the bracket of alpha shrinks, fewer points can come to lie on a line: within a span s of alpha,
 * residuals and their quantile move by at most s max |x|. A point further off than twice that stays on
 * its side, and only its x is remembered.
 */
import { assert } from "@ttcs/units";
import { grown, selectKth } from "./quantile.ts";

/** One cloud; the first `length` points count. */
export interface Cloud {
  length: number;
  /** x minus its mean (ns). */
  dxNs: Float64Array;
  yNs: Float64Array;
  /** Mean, smallest and largest x (ns). */
  meanXNs: number;
  firstNs: number;
  lastNs: number;
}

/** An empty cloud, to be filled again and again. */
export const newCloud = (): Cloud => ({
  length: 0,
  dxNs: new Float64Array(0),
  yNs: new Float64Array(0),
  meanXNs: 0,
  firstNs: 0,
  lastNs: 0,
});

/** Slope (ns per ns) at which bisection ends: 0.01 ppb. */
const SLOPE_STEP = 1e-11;
/** First half width of the bracket around the guess (ns per ns): 1 ppm; doubled while needed. */
const FIRST_BRACKET = 1e-6;

/** Residuals are rounded: a point this near to the limit is not settled yet (ns). */
const SETTLED_MARGIN_NS = 0.01;

let scratch: Float64Array = new Float64Array(0);

/** Points of a cloud during the search: those that may yet lie on the line, and what is known of others. */
class OpenPoints {
  length = 0;
  dxNs: Float64Array = new Float64Array(0);
  yNs: Float64Array = new Float64Array(0);
  /** Largest |x| of all (ns). */
  reachNs = 0;
  /** Points in all, those settled below the line, and sums of x of those below and above (ns). */
  count = 0;
  below = 0;
  belowXNs = 0;
  aboveXNs = 0;

  open({ length, dxNs, yNs }: Cloud): void {
    this.dxNs = grown(this.dxNs, length);
    this.yNs = grown(this.yNs, length);
    this.reachNs = 0;
    for (let i = 0; i < length; i++) {
      this.dxNs[i] = dxNs[i];
      this.yNs[i] = yNs[i];
      this.reachNs = Math.max(this.reachNs, Math.abs(dxNs[i]));
    }
    this.length = length;
    this.count = length;
    this.below = 0;
    this.belowXNs = 0;
    this.aboveXNs = 0;
  }

  /**
   * Derivative of the profile objective with respect to alpha; from now on alpha stays within `span` of
   * this one.
   */
  derivative(q: number, alpha: number, span: number): number {
    const { dxNs, yNs, length, count } = this;
    scratch = grown(scratch, length);
    for (let i = 0; i < length; i++) scratch[i] = yNs[i] - alpha * dxNs[i];
    const k = quantileIndex(count, q) - this.below;
    const level = selectKth(scratch, length, Math.min(length - 1, Math.max(0, k)));
    const limitNs = 2 * span * this.reachNs + SETTLED_MARGIN_NS;
    let open = 0;
    let below = this.below;
    let belowXNs = this.belowXNs;
    let aboveXNs = this.aboveXNs;
    let onLine = 0;
    let onLineXNs = 0;
    for (let i = 0; i < length; i++) {
      const dx = dxNs[i];
      const residual = yNs[i] - alpha * dx - level;
      if (residual === 0) {
        onLine++;
        onLineXNs += dx;
      } else if (residual < 0) {
        below++;
        belowXNs += dx;
      } else aboveXNs += dx;
      if (Math.abs(residual) > limitNs) {
        if (residual < 0) {
          this.below++;
          this.belowXNs += dx;
        } else this.aboveXNs += dx;
        continue;
      }
      dxNs[open] = dx;
      yNs[open++] = yNs[i];
    }
    this.length = open;
    const psiSum = (q - 1) * below + q * (count - below - onLine);
    // What is missing to sum psi = 0 belongs to the points on the line.
    return (psiSum / onLine) * onLineXNs - (q - 1) * belowXNs - q * aboveXNs;
  }
}

const openUpper = new OpenPoints();
const openLower = new OpenPoints();

/**
 * The common slope (ns per ns), within +-`slopeLimit`.
 *
 * @param tau the quantile of `upper` that its line follows; `lower` takes 1 - tau.
 * @param guess where to look first.
 */
export function commonSlope(
  upper: Cloud,
  lower: Cloud,
  tau: number,
  guess: number,
  slopeLimit: number,
): number {
  assert(upper.length > 0 && lower.length > 0, "both clouds hold points");
  openUpper.open(upper);
  openLower.open(lower);
  const gradient = (alpha: number, span: number) =>
    openUpper.derivative(tau, alpha, span) + openLower.derivative(1 - tau, alpha, span);
  let low = Math.max(-slopeLimit, guess - FIRST_BRACKET);
  let high = Math.min(slopeLimit, guess + FIRST_BRACKET);
  for (
    let width = FIRST_BRACKET;
    low > -slopeLimit && gradient(low, Number.POSITIVE_INFINITY) > 0;
    width *= 4
  ) {
    high = low;
    low = Math.max(-slopeLimit, low - 4 * width);
  }
  for (
    let width = FIRST_BRACKET;
    high < slopeLimit && gradient(high, Number.POSITIVE_INFINITY) < 0;
    width *= 4
  ) {
    low = high;
    high = Math.min(slopeLimit, high + 4 * width);
  }
  while (high - low > SLOPE_STEP) {
    const middle = (low + high) / 2;
    const slope = gradient(middle, (high - low) / 2);
    if (slope === 0) return middle;
    if (slope > 0) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** The q-quantile of the residuals y - alpha x: the intercept of a line with slope alpha (ns). */
export function intercept(cloud: Cloud, q: number, alpha: number): number {
  const n = cloud.length;
  scratch = grown(scratch, n);
  for (let i = 0; i < n; i++) scratch[i] = cloud.yNs[i] - alpha * cloud.dxNs[i];
  return selectKth(scratch, n, quantileIndex(n, q));
}

/** Index of the sample quantile that minimises the sum of check functions. */
export function quantileIndex(n: number, q: number): number {
  return Math.min(n - 1, Math.max(0, Math.ceil(q * n) - 1));
}

/**
 * Sparsity 1/f at the q-quantile of the residuals (ns): the reciprocal of their density there.
 *
 * Difference quotient of neighbouring quantiles, q -+ `halfWidth` (Koenker, "Quantile Regression",
 * 2005, section 3.4.1).
 */
export function sparsity(cloud: Cloud, q: number, alpha: number, halfWidth: number): number {
  const n = cloud.length;
  const low = quantileIndex(n, Math.max(0, q - halfWidth));
  const high = quantileIndex(n, Math.min(1, q + halfWidth));
  if (high <= low) return Number.POSITIVE_INFINITY;
  scratch = grown(scratch, n);
  for (let i = 0; i < n; i++) scratch[i] = cloud.yNs[i] - alpha * cloud.dxNs[i];
  const at = selectKth(scratch, n, high);
  return ((at - selectKth(scratch, n, low)) * n) / (high - low);
}
