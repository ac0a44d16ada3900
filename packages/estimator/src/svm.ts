/**
 * The paper's line between two clouds: a soft-margin linear support vector machine.
 *
 *     min over w of |w|^2 / 2 + C sum xi_i,   y_i w.x_i >= 1 - xi_i,  xi_i >= 0
 *
 * with x = (time, value, 1), y = +1 for the upper cloud and -1 for the lower (Geng et al., NSDI
 * 2018). Where w.x = 0 is the line midway between the fastest probes of both directions. Solved in
 * the dual by coordinate descent (Hsieh et al., "A dual coordinate descent method for large-scale
 * linear SVM", ICML 2008, algorithm 1, L1 loss): one pass over the points in shuffled order changes
 * each a_i in [0, C] to its best, w = sum a_i y_i x_i.
 *
 * Scaling decides: values are taken from a line near the one sought, so that neither a frequency
 * nor an offset hides the gap between the clouds, and the regularised third weight is small. Time
 * is scaled to a standard deviation of 1/2 (Gelman, Statistics in Medicine 27, 2008), values by their
 * median: a deviation would follow the few probes that queued longest. C is at least 10: with few
 * points a small one lets all of them lie inside the margin.
 *
 * It cannot see what it gives up: the margin follows single points, an early stamp among them.
 */
import { mix32 } from "@ttcs/units";
import { medianOf, SIGMA_PER_MAD } from "./quantile.ts";
import type { Cloud } from "./quantile-lines.ts";

/** Price of a point inside the margin, in the scaled units. */
const PRICE = 10;
/** Largest violation of the optimality conditions at which the passes end. */
const TOLERANCE = 1e-3;
/** Passes after which what is there is taken: some 10 ms for 800 points. */
const PASS_LIMIT = 1000;

/** The line: its slope (ns per ns) and its height at x = `midXNs` (ns). */
export interface SeparatingLine {
  readonly slope: number;
  readonly heightNs: number;
}

/** Columns of all points, scaled. */
interface Points {
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
  const w = descend({ count, time, value, label });
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

/** Dual coordinate descent; returns w. */
function descend({ count, time, value, label }: Points): Float64Array {
  const w = new Float64Array(3);
  const multiplier = new Float64Array(count);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let pass = 0; pass < PASS_LIMIT; pass++) {
    let worst = 0;
    for (let k = 0; k < count; k++) {
      const other = k + (mix32(pass, k) % (count - k));
      const i = order[other];
      order[other] = order[k];
      order[k] = i;
      const square = time[i] * time[i] + value[i] * value[i] + 1;
      const height = w[0] * time[i] + w[1] * value[i] + w[2];
      const gradient = label[i] * height - 1;
      const old = multiplier[i];
      const atEnd = (old === 0 && gradient > 0) || (old === PRICE && gradient < 0);
      if (atEnd) continue;
      worst = Math.max(worst, Math.abs(gradient));
      multiplier[i] = Math.min(PRICE, Math.max(0, old - gradient / square));
      const change = (multiplier[i] - old) * label[i];
      w[0] += change * time[i];
      w[1] += change * value[i];
      w[2] += change;
    }
    if (worst < TOLERANCE) break;
  }
  return w;
}
