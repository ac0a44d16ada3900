/**
 * Weight of delays up to the lower edge of each bin, read between the edges along straight lines.
 *
 * Columns have one number more than there are bins: the last is the weight up to the upper edge of the
 * last bin, the first that of all delays below the bins. Functions on columns, because a shape keeps
 * its sums in 32 bits and makes them in 64. What lies beyond the bins they cannot see.
 */
import { BINS } from "./delay-bins.ts";

/** Sums of the weights up to each edge. */
export type Sums = Float64Array | Float32Array;

/** First bin whose upper edge has at least the wanted weight below it. */
export function binAt(upTo: Sums, wanted: number): number {
  let low = 0;
  let high = BINS - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (upTo[middle + 1] >= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Weight below a place (0 to `BINS`, in bins from the lowest). */
export function weightUpTo(sums: Sums, at: number): number {
  const bin = Math.min(BINS - 1, Math.floor(at));
  const low = sums[bin];
  return low + (at - bin) * (sums[bin + 1] - low);
}

/** Quantile (bins) of the part of a weight that is not below all bins, interpolated within its bin. */
export function insideQuantile(sums: Sums, weight: number, q: number): number {
  const wanted = sums[0] + q * (weight - sums[0]);
  const bin = binAt(sums, wanted);
  const inside = sums[bin + 1] - sums[bin];
  return bin + (inside > 0 ? Math.min(1, Math.max(0, wanted - sums[bin]) / inside) : 0);
}
