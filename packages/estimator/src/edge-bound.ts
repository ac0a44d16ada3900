/**
 * What every probe of a window says of the offset at its middle, without any statistics.
 *
 * A forward probe says that the offset at its instant is at most rx - tx, a reverse probe that
 * minus the offset is at most rx - tx (Cristian, "Probabilistic clock synchronization", Distributed
 * Computing 3, 1989). The offset is a straight line in the window, of a slope that is not known for
 * sure. A line that passes below a point left of the middle and below one right of it passes, at
 * the middle, below the chord between the two. The lowest chord is the lower convex hull there: the
 * tightest statement that holds for every slope. (Widening by some sigmas of the fitted slope was
 * tried first: with few probes and long queues the truth was outside in 3 of 10 000 windows.)
 *
 * All probes take part, also those that the pair filter dropped: a queue makes a bound looser,
 * never false. What a change of frequency bends the line by is added to each point, what the
 * carries may be off to the result.
 *
 * Assumes: no probe arrived before it was sent. A stamp early by more than the delay would show as
 * a contradiction, one early by less tightens the bound by as much.
 */
import { SECOND_NS } from "@ttcs/units";
import type { ProbeColumns } from "./pairs.ts";
import { grown, medianOf } from "./quantile.ts";

/** The offset of the other host against the owner, on the owner's axis. */
export interface Line {
  /** Owner time of the middle (ns). */
  readonly midNs: number;
  /** Offset there (ns, positive: other ahead). */
  readonly offsetNs: number;
  /** ns per ns. */
  readonly slope: number;
}

/** The same with its uncertainties. */
export interface OffsetLine extends Line {
  readonly slopeSigma: number;
  readonly offsetSigmaNs: number;
}

/** Change of frequency that the interval allows for (ppb per s): a crystal warming up fast. */
const BOUND_WANDER_PPB_PER_S = 100;
/** Slope that no clock exceeds against another (ns per ns), for when all probes lie on one side. */
const SLOPE_MAX = 1e-3;
/** Chords tried; each is a valid bound, and some five reach the hull. */
const CHORD_LIMIT = 50;

let distancesNs: Float64Array = new Float64Array(0);
let scratch: Float64Array = new Float64Array(0);

/** The interval (ns) that holds the true offset at the line's middle. */
export function guaranteedInterval(
  forward: ProbeColumns,
  reverse: ProbeColumns,
  line: Line,
  carryBoundNs: number,
): { lowNs: number; highNs: number } {
  const highNs = hullAtMiddle(forward, forward.txNs, line.midNs, line.slope);
  const lowNs = -hullAtMiddle(reverse, reverse.rxNs, line.midNs, -line.slope);
  return { lowNs: lowNs - carryBoundNs, highNs: highNs + carryBoundNs };
}

/**
 * Lower convex hull of the points (x, rx - tx) at the middle (ns). `slope` is where the search
 * begins; the result does not depend on it, apart from rounding.
 */
function hullAtMiddle(
  columns: ProbeColumns,
  xNs: Float64Array,
  midNs: number,
  slope: number,
): number {
  distancesNs = grown(distancesNs, columns.length);
  scratch = grown(scratch, columns.length);
  let count = 0;
  let left = -1;
  let right = -1;
  for (let i = 0; i < columns.length; i++) {
    const distanceNs = xNs[i] - midNs;
    const distanceS = distanceNs / SECOND_NS;
    const bentNs = (BOUND_WANDER_PPB_PER_S * distanceS * distanceS) / 2;
    const boundNs = columns.rxNs[i] - columns.txNs[i] + bentNs - slope * distanceNs;
    // A stamp that could not be carried says nothing.
    if (!Number.isFinite(boundNs)) continue;
    distancesNs[count] = distanceNs;
    scratch[count] = boundNs;
    if (distanceNs > 0) {
      if (right < 0 || boundNs < scratch[right]) right = count;
    } else if (left < 0 || boundNs < scratch[left]) left = count;
    count++;
  }
  if (left < 0 || right < 0) return oneSided(count, slope);
  let chordNs = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < CHORD_LIMIT; tries++) {
    const run = distancesNs[right] - distancesNs[left];
    const tilt = (scratch[right] - scratch[left]) / run;
    chordNs = scratch[left] - tilt * distancesNs[left];
    let lowest = left;
    let lowestNs = chordNs;
    for (let i = 0; i < count; i++) {
      const levelNs = scratch[i] - tilt * distancesNs[i];
      if (levelNs >= lowestNs) continue;
      lowestNs = levelNs;
      lowest = i;
    }
    // Below the chord by rounding only: this is the hull.
    if (lowestNs > chordNs - 1e-3 || lowest === left || lowest === right) break;
    if (distancesNs[lowest] > 0) right = lowest;
    else left = lowest;
  }
  return chordNs;
}

/** The bound when all points lie on one side of the middle: any slope a clock may have. */
function oneSided(count: number, slope: number): number {
  let lowestNs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const reachNs = (SLOPE_MAX + Math.abs(slope)) * Math.abs(distancesNs[i]);
    lowestNs = Math.min(lowestNs, scratch[i] + reachNs);
  }
  return lowestNs;
}

/** Smallest delay against the line, and the median above it (ns), of one direction. */
export function delaysAbove(
  columns: ProbeColumns,
  line: Line,
  forward: boolean,
): { minNs: number; jitterNs: number } {
  const { txNs, rxNs } = columns;
  scratch = grown(scratch, columns.length);
  let count = 0;
  let minNs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < columns.length; i++) {
    const ownerNs = forward ? txNs[i] : rxNs[i];
    const shift = line.offsetNs + line.slope * (ownerNs - line.midNs);
    const delayNs = rxNs[i] - txNs[i] + (forward ? -shift : shift);
    if (!Number.isFinite(delayNs)) continue;
    scratch[count++] = delayNs;
    if (delayNs < minNs) minNs = delayNs;
  }
  return { minNs, jitterNs: medianOf(scratch, count) - minNs };
}
