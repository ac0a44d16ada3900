/**
 * Whether one straight line is the truth about a window.
 *
 * Problem: the fit takes for granted that for 2 s both clocks ran straight and the least delays
 * stayed as they were. When a route changes, a clock is slewed or steps by less than a round trip,
 * the line is a compromise, and its sigma, taken from the points near it, knows nothing of that.
 * Approach: the window is cut into eighths; in each, the same low quantiles of both directions give
 * the height of the course over the line. The first four heights and the last four give two lines;
 * they must meet in the middle and have one slope (a bend). Apart from that, all eight must lie
 * near the line (scatter).
 *
 * Uncertainty of a height as in `edge-fit.ts`; the limit is `LIMIT_SIGMAS` of them and what a warming
 * crystal does. With fewer than eight points per eighth a quantile means nothing: not checked.
 *
 * It cannot see a change that both directions share alike, which does no harm; nor one that comes and
 * goes within an eighth, which looks like noise. A jump off the middle may be told as a change of
 * frequency: the two lines are compared, not the place searched for.
 */
import { medianOf, selectKth } from "./quantile.ts";
import { type Cloud, quantileIndex } from "./quantile-lines.ts";

const BLOCKS = 8;
const HALF = BLOCKS / 2;
/** Points that an eighth has on average, and at least. */
const POINTS_PER_BLOCK = 8;
const POINTS_MIN = 4;
/** Points that should lie beyond a block's quantile, so that two early stamps do not make it. */
const POINTS_BEYOND = 4;
/**
 * The spread is taken between the quantiles that a block's own may reach, in its sigmas: where
 * half of the probes queue, the next quantile may be microseconds away.
 */
const SPARSITY_SIGMAS = 3;
/** Limit of bends and scatter: rare enough for hard but honest windows. */
const LIMIT_SIGMAS = 8;
/** Neither does anybody miss less than this (ns): what a few early stamps of a NIC may make. */
const LIMIT_NS_MIN = 100;
/** Change of frequency that is no fault: a crystal warming up fast (ppb per s). */
const WANDER_PPB_PER_S = 100;

const heightsNs = new Float64Array(BLOCKS);
const upperNs = new Float64Array(BLOCKS);
const lowerNs = new Float64Array(BLOCKS);
const spreads = new Float64Array(BLOCKS);
const counts = new Int32Array(BLOCKS);
let blockOf: Int32Array = new Int32Array(0);
let scratch: Float64Array = new Float64Array(0);

/** Why the window is no straight line, in plain words; undefined: it is, or nobody can tell. */
export function whyNotStraight(upper: Cloud, lower: Cloud, slope: number): string | undefined {
  const fewest = Math.min(upper.length, lower.length);
  if (fewest < BLOCKS * POINTS_PER_BLOCK) return undefined;
  const firstNs = Math.max(upper.firstNs, lower.firstNs);
  const blockNs = (Math.min(upper.lastNs, lower.lastNs) - firstNs) / BLOCKS;
  const q = (POINTS_BEYOND * BLOCKS) / fewest;
  const upperVariance = blockHeights(upper, q, slope, firstNs, blockNs, upperNs);
  const lowerVariance = blockHeights(lower, 1 - q, slope, firstNs, blockNs, lowerNs);
  if (!Number.isFinite(upperVariance + lowerVariance)) return undefined;
  for (let i = 0; i < BLOCKS; i++) heightsNs[i] = (upperNs[i] + lowerNs[i]) / 2;
  const sigmaNs = Math.sqrt(upperVariance + lowerVariance) / 2;
  return judge(sigmaNs, blockNs * 1e-9);
}

/**
 * Height of one direction over the line in each block (ns, to a constant); returns their variance,
 * no number when a block is nearly empty.
 */
function blockHeights(
  cloud: Cloud,
  q: number,
  slope: number,
  firstNs: number,
  blockNs: number,
  out: Float64Array,
): number {
  const n = cloud.length;
  if (scratch.length < n) {
    scratch = new Float64Array(2 * n);
    blockOf = new Int32Array(2 * n);
  }
  counts.fill(0);
  for (let i = 0; i < n; i++) {
    const place = Math.floor((cloud.meanXNs + cloud.dxNs[i] - firstNs) / blockNs);
    blockOf[i] = Math.max(0, Math.min(BLOCKS - 1, place));
    counts[blockOf[i]]++;
  }
  let fewest = n;
  for (let b = 0; b < BLOCKS; b++) {
    fewest = Math.min(fewest, counts[b]);
    if (counts[b] < POINTS_MIN) return Number.NaN;
    let count = 0;
    for (let i = 0; i < n; i++) {
      if (blockOf[i] === b) scratch[count++] = cloud.yNs[i] - slope * cloud.dxNs[i];
    }
    out[b] = selectKth(scratch, count, quantileIndex(count, q));
    spreads[b] = spreadAround(q, count);
  }
  // The median: the block in which a route changes is wide, the others tell what is usual.
  const spread = medianOf(spreads, BLOCKS);
  return (q * (1 - q) * spread * spread) / fewest;
}

/** Sparsity (ns) at q of the first `count` values of the scratch column. */
function spreadAround(q: number, count: number): number {
  const reach = SPARSITY_SIGMAS * Math.sqrt((q * (1 - q)) / count);
  const low = quantileIndex(count, Math.max(0, q - reach));
  const high = quantileIndex(count, Math.min(1, q + reach));
  const at = selectKth(scratch, count, high);
  return ((at - selectKth(scratch, count, low)) * count) / (high - low);
}

/** `sigmaNs` of a height, `blockS` between two of them. */
function judge(sigmaNs: number, blockS: number): string | undefined {
  const first = lineThrough(0);
  const second = lineThrough(HALF);
  // Four heights at -1.5 to 1.5 blocks: variance of the slope sigma^2 / 5 per block, of the height
  // two blocks off sigma^2 (1/4 + 4/5); twice that for a difference.
  const halfS = HALF * blockS;
  const kinkPpb = (second.perBlockNs - first.perBlockNs) / blockS;
  const leastPpb = LIMIT_NS_MIN / halfS;
  const kinkLimitPpb =
    leastPpb + (LIMIT_SIGMAS * Math.sqrt(2 / 5) * sigmaNs) / blockS + WANDER_PPB_PER_S * halfS;
  // A parabola's two chords miss each other by rate h^2 / 6 where they meet; double is granted.
  const jumpNs = second.meanNs - 2 * second.perBlockNs - (first.meanNs + 2 * first.perBlockNs);
  const bentNs = (WANDER_PPB_PER_S * halfS * halfS) / 6;
  const jumpLimitNs = LIMIT_NS_MIN + LIMIT_SIGMAS * Math.sqrt(2.1) * sigmaNs + 2 * bentNs;
  if (Math.abs(jumpNs) > jumpLimitNs) {
    return `the offset jumps by ${Math.round(jumpNs)} ns inside the window`;
  }
  if (Math.abs(kinkPpb) > kinkLimitPpb) {
    return `the frequency changes by ${Math.round(kinkPpb)} ppb inside the window`;
  }
  const scatterNs = scatterAboutLine();
  const scatterLimitNs = LIMIT_NS_MIN + LIMIT_SIGMAS * sigmaNs + bentNs;
  if (scatterNs > scatterLimitNs) {
    return `the offset scatters by ${Math.round(scatterNs)} ns inside the window`;
  }
  return undefined;
}

/** Least squares through four heights from `start`: mean and slope. */
function lineThrough(start: number): { meanNs: number; perBlockNs: number } {
  let mean = 0;
  let slope = 0;
  for (let i = 0; i < HALF; i++) {
    mean += heightsNs[start + i] / HALF;
    slope += ((i - 1.5) * heightsNs[start + i]) / 5;
  }
  return { meanNs: mean, perBlockNs: slope };
}

/** Root mean square of the heights about the line through all of them (ns). */
function scatterAboutLine(): number {
  const middle = (BLOCKS - 1) / 2;
  let mean = 0;
  let slope = 0;
  let placeSquares = 0;
  for (let i = 0; i < BLOCKS; i++) {
    mean += heightsNs[i] / BLOCKS;
    slope += (i - middle) * heightsNs[i];
    placeSquares += (i - middle) ** 2;
  }
  slope /= placeSquares;
  let squares = 0;
  for (let i = 0; i < BLOCKS; i++) squares += (heightsNs[i] - mean - slope * (i - middle)) ** 2;
  return Math.sqrt(squares / (BLOCKS - 2));
}
