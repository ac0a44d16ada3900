/**
 * The paper's line between two clouds: a soft-margin linear support vector machine.
 *
 *     min over w of |w|^2 / 2 + C sum xi_i,   y_i w.x_i >= 1 - xi_i,  xi_i >= 0
 *
 * with x = (time, value, 1), y = +1 for the upper cloud and -1 for the lower (Geng et al., NSDI
 * 2018). Where w.x = 0 is the line midway between the fastest probes of both directions.
 *
 * There are three unknowns and many points, so it is solved as it stands, by Newton's method on a
 * hinge whose corner is rounded off within 1 +- h (O. Chapelle, "Training a support vector machine
 * in the primal", Neural Computation 19, 2007, section 2.2), with h shrinking from step to step. The
 * slopes of the rounded hinge, times C, are multipliers of the dual; the distance between both
 * objectives says how far the line is from the best one at most, and ends the search.
 *
 * Scaling decides: values are taken from a line near the one sought, so that neither a frequency
 * nor an offset hides the gap between the clouds, and the regularised third weight is small. Time
 * is scaled to a standard deviation of 1/2 (Gelman, Statistics in Medicine 27, 2008), values by their
 * median: a deviation would follow the few probes that queued longest. C is at least 10: with few
 * points a small one lets all of them lie inside the margin.
 *
 * It cannot see what it gives up: the margin follows single points, an early stamp among them.
 */
import { medianOf, SIGMA_PER_MAD } from "./quantile.ts";
import type { Cloud } from "./quantile-lines.ts";

/** Price of a point inside the margin, in the scaled units. */
const PRICE = 10;
/** Distance of the two objectives, as a share, at which the search ends. */
const GAP_SHARE = 1e-6;
/** The hinge's corner is rounded within 1 +- this at first, and a quarter of it each step. */
const ROUNDED_FIRST = 1;
const ROUNDED_SHRINK = 0.25;
const ROUNDED_STEPS = 24;
/** Newton steps for one rounding; warm starts need some three. */
const NEWTON_STEPS = 40;
/** Halvings of a Newton step that does not lead downhill. */
const HALVINGS = 30;

/** The line: its slope (ns per ns) and its height at x = `midXNs` (ns). */
export interface SeparatingLine {
  readonly slope: number;
  readonly heightNs: number;
}

/** Columns of all points, scaled. */
export interface Points {
  readonly count: number;
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly label: Float64Array;
}

/**
 * Separates two clouds, the first above the second. Undefined when no line does, because all points
 * share one instant or the clouds are upside down. Allocates; meant for comparison.
 *
 * @param near a line near the one sought, in the clouds' terms.
 */
export function separate(
  upper: Cloud,
  lower: Cloud,
  near: SeparatingLine,
  midXNs: number,
): SeparatingLine | undefined {
  const count = upper.length + lower.length;
  const time = new Float64Array(count);
  const value = new Float64Array(count);
  const label = new Float64Array(count);
  let at = 0;
  for (const [cloud, sign] of [
    [upper, 1],
    [lower, -1],
  ] as const) {
    const shift = cloud.meanXNs - midXNs;
    for (let i = 0; i < cloud.length; i++, at++) {
      time[at] = cloud.dxNs[i] + shift;
      value[at] = cloud.yNs[i] - near.heightNs - near.slope * time[at];
      label[at] = sign;
    }
  }
  const timeUnit = 2 * deviation(time) || 1;
  const valueUnit = 2 * SIGMA_PER_MAD * medianOf(value.map(Math.abs), count) || 1;
  for (let i = 0; i < count; i++) {
    time[i] /= timeUnit;
    value[i] /= valueUnit;
  }
  const w = bestWeights({ count, time, value, label });
  // Above the line must be the upper cloud.
  if (!(w[1] > 0)) return undefined;
  return {
    slope: near.slope - ((w[0] / w[1]) * valueUnit) / timeUnit,
    heightNs: near.heightNs - (w[2] / w[1]) * valueUnit,
  };
}

/** Root mean square of a column about 0. */
function deviation(column: Float64Array): number {
  let squares = 0;
  for (const value of column) squares += value * value;
  return Math.sqrt(squares / column.length);
}

/** The w with the least objective. */
export function bestWeights(points: Points): Float64Array {
  const w = new Float64Array(3);
  let rounded = ROUNDED_FIRST;
  for (let step = 0; step < ROUNDED_STEPS; step++, rounded *= ROUNDED_SHRINK) {
    newton(points, w, rounded);
    if (gapShare(points, w, rounded) < GAP_SHARE) break;
  }
  return w;
}

const newtonStep = new Float64Array(3);
const tried = new Float64Array(3);

/** Minimises the objective with a hinge rounded within 1 +- `rounded`, from `w` on. */
function newton(points: Points, w: Float64Array, rounded: number): void {
  let level = objective(points, w, rounded);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const decrease = solveStep(points, w, rounded);
    if (!(decrease > GAP_SHARE * 1e-3 * Math.abs(level))) return;
    let share = 1;
    let triedLevel = Number.POSITIVE_INFINITY;
    for (let k = 0; k < HALVINGS; k++, share /= 2) {
      for (let c = 0; c < 3; c++) tried[c] = w[c] + share * newtonStep[c];
      triedLevel = objective(points, tried, rounded);
      if (triedLevel <= level - 1e-4 * share * decrease) break;
    }
    if (!(triedLevel < level)) return;
    w.set(tried);
    level = triedLevel;
  }
}

/** Puts Newton's step into `newtonStep`; returns by how much it is expected to go down, twice. */
function solveStep(points: Points, w: Float64Array, rounded: number): number {
  const { count, time, value, label } = points;
  let [g0, g1, g2] = w;
  let [h00, h01, h02, h11, h12, h22] = [1, 0, 0, 1, 0, 1];
  const bend = PRICE / (2 * rounded);
  for (let i = 0; i < count; i++) {
    const [t, v, y] = [time[i], value[i], label[i]];
    const inside = 1 + rounded - y * (w[0] * t + w[1] * v + w[2]);
    if (inside <= 0) continue;
    const multiplier = y * Math.min(PRICE, bend * inside);
    g0 -= multiplier * t;
    g1 -= multiplier * v;
    g2 -= multiplier;
    if (inside >= 2 * rounded) continue;
    h00 += bend * t * t;
    h01 += bend * t * v;
    h02 += bend * t;
    h11 += bend * v * v;
    h12 += bend * v;
    h22 += bend;
  }
  // Cholesky of the symmetric matrix; it is at least the identity.
  const l00 = Math.sqrt(h00);
  const [l10, l20] = [h01 / l00, h02 / l00];
  const l11 = Math.sqrt(h11 - l10 * l10);
  const l21 = (h12 - l20 * l10) / l11;
  const l22 = Math.sqrt(h22 - l20 * l20 - l21 * l21);
  const z0 = -g0 / l00;
  const z1 = (-g1 - l10 * z0) / l11;
  const z2 = (-g2 - l20 * z0 - l21 * z1) / l22;
  newtonStep[2] = z2 / l22;
  newtonStep[1] = (z1 - l21 * newtonStep[2]) / l11;
  newtonStep[0] = (z0 - l10 * newtonStep[1] - l20 * newtonStep[2]) / l00;
  return z0 * z0 + z1 * z1 + z2 * z2;
}

/** |w|^2 / 2 + C sum of the hinge, rounded within 1 +- `rounded` (0: as it is). */
export function objective(points: Points, w: Float64Array, rounded: number): number {
  const { count, time, value, label } = points;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const inside = 1 + rounded - label[i] * (w[0] * time[i] + w[1] * value[i] + w[2]);
    if (inside <= 0) continue;
    sum += inside >= 2 * rounded ? inside - rounded : (inside * inside) / (4 * rounded);
  }
  return (w[0] * w[0] + w[1] * w[1] + w[2] * w[2]) / 2 + PRICE * sum;
}

/** How far w is from the best one at most, by the dual: a share of the objective. */
function gapShare(points: Points, w: Float64Array, rounded: number): number {
  const { count, time, value, label } = points;
  const bend = PRICE / (2 * rounded);
  let [d0, d1, d2, sum] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const inside = 1 + rounded - label[i] * (w[0] * time[i] + w[1] * value[i] + w[2]);
    if (inside <= 0) continue;
    const multiplier = Math.min(PRICE, bend * inside);
    sum += multiplier;
    d0 += multiplier * label[i] * time[i];
    d1 += multiplier * label[i] * value[i];
    d2 += multiplier * label[i];
  }
  const primal = objective(points, w, 0);
  return (primal - sum + (d0 * d0 + d1 * d1 + d2 * d2) / 2) / primal;
}
