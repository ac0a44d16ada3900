/**
 * Where the bins of a histogram of delays lie, and how wide they are.
 *
 * Problem: what delays tell lies at their rise, which is nanoseconds wide on an idle wire and
 * microseconds under load. Approach: the width is a share of the distance of two low quantiles, which
 * is the scale on which delays tell something; the lower of them has `BELOW` bins beneath it. Bins stay
 * until they would be laid very differently: laying them anew blurs.
 *
 * It cannot see: where the floor is in truth; and of a dozen delays, hardly the scale.
 */
import { assert } from "@ttcs/units";

/** Bins, and those of them that lie below the floor when the histogram is laid. */
export const BINS = 512;
const BELOW = 64;
/**
 * The bin width is the distance of two quantiles this far apart, in so many parts. The lower of them is
 * the first, but where a higher one is much steeper, that: below it lie stamps that are too early.
 */
const SCALE_WIDTH = 0.07;
/** Of few delays so many must lie between: the next one alone tells no scale. */
const SCALE_POINTS = 6;
const SCALE_WIDTH_MAX = 0.5;
const SCALE_LOWS = [0.01, 0.1];
const STEEPER = 4;
const SCALE_BINS = 10;
const BIN_NS_MIN = 1;
/** The bins are laid anew when the width they should have is off by this factor. */
const RESCALE = 2.2;

/** Bins from `lowNs` on, each `binNs` wide (ns). */
export interface Bins {
  readonly lowNs: number;
  readonly binNs: number;
}

/** Bins for delays of which `sortedNs` (rising, `count` of them) are examples. */
export function binsFor(sortedNs: Float64Array, count: number): Bins {
  assert(count > 0, "a shape is laid by examples");
  const at = (q: number) => sortedNs[Math.min(count - 1, Math.floor(q * count))];
  const width = scaleWidth(count);
  const low = steepest(at, width);
  const lowNs = at(low);
  const binNs = Math.max(BIN_NS_MIN, (at(low + width) - lowNs) / binsAcross(width));
  return { lowNs: lowNs - BELOW * binNs, binNs };
}

/**
 * How present bins suit the delays that they hold.
 *
 * @param at quantiles of these (bins).
 * @param count number of equally weighted delays that would tell as much.
 * @returns the low quantile (0 to 1) where they rise, and better bins; undefined: they stay.
 */
export function refitBins(
  { lowNs, binNs }: Bins,
  at: (q: number) => number,
  count: number,
): { readonly rise: number; readonly better: Bins | undefined } {
  const width = scaleWidth(count);
  const rise = steepest(at, width);
  const low = at(rise);
  const high = at(rise + width);
  const factor = Math.max(BIN_NS_MIN / binNs, (high - low) / binsAcross(width));
  const wide = factor > RESCALE || factor < 1 / RESCALE;
  const moved = low < BELOW / 2 || low > 2 * BELOW;
  if (!wide && !moved) return { rise, better: undefined };
  const betterNs = wide ? binNs * factor : binNs;
  return { rise, better: { lowNs: lowNs + low * binNs - BELOW * betterNs, binNs: betterNs } };
}

/** How far apart the two quantiles are for so many delays. */
const scaleWidth = (count: number): number =>
  Math.min(SCALE_WIDTH_MAX, Math.max(SCALE_WIDTH, SCALE_POINTS / count));

/** Parts of the distance of two quantiles so far apart. */
const binsAcross = (width: number): number => (SCALE_BINS * width) / SCALE_WIDTH;

/** The lower quantile of the two that set the bin width. */
function steepest(at: (q: number) => number, width: number): number {
  let best = SCALE_LOWS[0];
  let wide = at(best + width) - at(best);
  for (const low of SCALE_LOWS) {
    const across = at(low + width) - at(low);
    if (STEEPER * across > wide) continue;
    best = low;
    wide = across;
  }
  return best;
}
