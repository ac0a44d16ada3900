/**
 * What the delays of one direction of an edge look like, learnt from the last minute of probes.
 *
 * Problem: how much one probe says of the clocks depends on how likely its delay is. Of probes that
 * met no queue a hundred times as much is known as of others, and where the floor lies nobody tells.
 * Approach: a histogram of delays against the edge's own offset line, in equal bins from a little
 * below the floor to far above, faded so that it holds the last `WEIGHT_MAX` probes or so. Its
 * density serves as likelihood (`block-offset.ts`), its low quantiles as floor.
 *
 * Density: a smooth curve through the counts (`log-density.ts`), with a share `STRAY` of probes that
 * may be anywhere, so that no single stamp can decide. The other direction of the edge is its twin:
 * queues and stamps of both are mostly alike, and twice the delays draw a better curve.
 *
 * Memory: an agent holds four shapes for each of its edges and a round looks into all of them, so that
 * they are read from afar rather than from a cache. Hence 32 bits for what is kept; sums are made with
 * 64. Counts do not fade one by one: what comes weighs more than what came before.
 *
 * Bin width: a share of the distance of two low quantiles, which is the scale on which delays tell
 * something. Delays beyond the last bin are counted only.
 *
 * It cannot see: where the floor is in truth. Both directions are read in the same way, so what is
 * common to both cancels.
 */
import { assert } from "@ttcs/units";
import { DelayCells } from "./delay-cells.ts";
import { roughLogs, smoothLogs } from "./log-density.ts";

/** Bins, and those of them that lie below the floor when the histogram is laid. */
export const BINS = 512;
const BELOW = 64;
/** What is less of a density per bin than this is lost among the strays' digits. */
const LEAST_DENSITY = 1e-11;
/** Share of probes that may be anywhere in the histogram. */
const STRAY = 0.004;
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
/** Weight of a new delay at which all counts are brought back to scale. */
const GAIN_MAX = 1e6;
/** Densities are brought up to date when so large a share of delays is new: it takes 20 us. */
const REFRESH_SHARE = 0.02;
/** With more delays outside the bins than these shares, the shape is not that of the delays. */
const BELOW_SHARE_MAX = 0.25;
const BEYOND_SHARE_MAX = 0.97;
/** The bins are laid anew when the width they should have is off by this factor. */
const RESCALE = 2.2;

/** What a shape without memory of its own reads. */
const NONE = new Float32Array(BINS + 1);

// Reused by all shapes while they are brought up to date.
const sums = new Float64Array(BINS + 1);
const relaid = new Float64Array(BINS);
const cells = new DelayCells(BINS);
const both = { length: 0, counts: new Float64Array(BINS), exposures: new Float64Array(BINS) };
const logs = new Float64Array(BINS);
const logsOfBoth = new Float64Array(BINS);

/** See the module head. */
export class DelayShape {
  binNs = 0;
  /** Delay at the lower edge of the first bin (ns). */
  lowNs = 0;
  /** Weighted number of probes that the densities rest on, those beyond the bins included. */
  weight = 0;
  /** Rises whenever the densities change. */
  version = 0;
  /** The same with those that have come since, how many these are, and the sum of squared weights. */
  #counted = 0;
  #unseen = 0;
  #weightSquares = 0;
  /** False: the densities are not of these bins. */
  #isDrawn = false;
  #below = 0;
  #beyond = 0;
  /** Delays by bin, each with the weight that a new one had when it came. */
  #counts = NONE;
  #gain = 1;
  /** Weight up to the lower edge of each bin. */
  #sums = NONE;
  #logDensity = NONE;

  /** Logarithm of the density (per bin) in the middle of each bin. */
  get logDensity(): Float32Array {
    return this.#logDensity;
  }

  /** Length of all bins (ns). */
  get reachNs(): number {
    return BINS * this.binNs;
  }

  get isLaid(): boolean {
    return this.binNs > 0;
  }

  /** Number of equally weighted probes that would tell as much. */
  get effectiveCount(): number {
    const squares = this.#weightSquares;
    return squares > 0 ? (this.#counted * this.#counted) / squares : 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.version++;
    this.#isDrawn = false;
    this.binNs = 0;
    this.weight = 0;
    this.#counted = 0;
    this.#unseen = 0;
    this.#weightSquares = 0;
    this.#below = 0;
    this.#beyond = 0;
    this.#gain = 1;
    if (this.#counts !== NONE) this.#counts.fill(0);
  }

  /** Lays the bins for delays of which `sortedNs` (rising, `count` of them) are examples. */
  lay(sortedNs: Float64Array, count: number): void {
    const { lowNs, binNs } = binsFor(sortedNs, count);
    this.binNs = binNs;
    this.lowNs = lowNs;
    if (this.#counts !== NONE) return;
    // One piece of memory: a column of its own costs more than what stands in it.
    const memory = new Float32Array(3 * BINS + 1);
    this.#counts = memory.subarray(0, BINS);
    this.#logDensity = memory.subarray(BINS, 2 * BINS);
    this.#sums = memory.subarray(2 * BINS);
  }

  /** Lets all counts fade by a factor (0 to 1). */
  fade(factor: number): void {
    this.#gain /= factor;
    if (this.#gain > GAIN_MAX) this.#rescale();
    this.#below *= factor;
    this.#beyond *= factor;
    this.#counted *= factor;
    this.#weightSquares *= factor * factor;
  }

  /** Counts one delay (ns). */
  add(delayNs: number): void {
    const bin = Math.floor((delayNs - this.lowNs) / this.binNs);
    this.#counted++;
    this.#unseen++;
    this.#weightSquares++;
    if (bin < 0) this.#below++;
    else if (bin >= BINS) this.#beyond++;
    else this.#counts[bin] += this.#gain;
  }

  /**
   * Brings sums and densities up to date when enough delays are new. When most delays have left the
   * bins, the shape is forgotten: it is of another course.
   *
   * @param twin a shape that is probably alike; its delays are shorter by `apartNs`.
   */
  refresh(twin?: DelayShape, apartNs = 0): void {
    if (this.#unseen < REFRESH_SHARE * this.weight) return;
    this.#unseen = 0;
    this.version++;
    this.weight = this.#counted;
    const lost = this.#below > BELOW_SHARE_MAX * this.weight;
    if (lost || this.#beyond > BEYOND_SHARE_MAX * this.weight) {
      this.clear();
      return;
    }
    this.#sum();
    const share = this.#fit();
    this.#sums.set(sums);
    this.#smooth(this.#insideAt(share), twin, apartNs);
  }

  /** Lays a smooth density through the counts; `rise` is where it rises (bins). */
  #smooth(rise: number, twin: DelayShape | undefined, apartNs: number): void {
    const { weight } = this;
    cells.lay(rise);
    const { length, edges, counts, exposures } = cells;
    for (let c = 0; c < length; c++) {
      counts[c] = this.#between(edges[c], edges[c + 1]);
      exposures[c] = weight * (edges[c + 1] - edges[c]);
    }
    if (this.#isDrawn) for (let c = 0; c < length; c++) logs[c] = this.#logAt(cells.middle(c));
    else roughLogs(cells, logs);
    this.#isDrawn = true;
    const like = twin && twin.weight > 0 ? this.#ofBoth(twin, apartNs) : undefined;
    smoothLogs(cells, logs, like);
    const stray = STRAY / BINS;
    for (let c = 0; c < length; c++) {
      logs[c] = Math.log((1 - STRAY) * Math.exp(logs[c]) + stray);
    }
    cells.spread(logs, this.#logDensity);
  }

  /** The density of the twin's delays and these together, from `logs` on. */
  #ofBoth(twin: DelayShape, apartNs: number): Float64Array {
    const { length, edges } = cells;
    const perBin = this.binNs / twin.binNs;
    const fromBin = (this.lowNs - apartNs - twin.lowNs) / twin.binNs;
    const clip = (bin: number) => Math.max(0, Math.min(BINS, bin));
    for (let c = 0; c < length; c++) {
      const low = clip(fromBin + edges[c] * perBin);
      const high = clip(fromBin + edges[c + 1] * perBin);
      both.counts[c] = cells.counts[c] + twin.#between(low, high);
      both.exposures[c] = cells.exposures[c] + (twin.weight * (high - low)) / perBin;
    }
    both.length = length;
    logsOfBoth.set(logs);
    smoothLogs(both, logsOfBoth);
    return logsOfBoth;
  }

  /** Logarithm of the density before strays were mixed in; strays hide nothing above their last digit. */
  #logAt(at: number): number {
    const bin = Math.max(0, Math.min(BINS - 1, Math.floor(at)));
    const clean = Math.exp(this.#logDensity[bin]) - STRAY / BINS;
    return Math.log(Math.max(clean, LEAST_DENSITY));
  }

  /** The q-quantile of the delays (ns), interpolated within its bin. */
  quantileNs(q: number): number {
    const wanted = q * this.weight;
    const bin = binAt(this.#sums, wanted);
    const inside = this.#sums[bin + 1] - this.#sums[bin];
    const share = inside > 0 ? (wanted - this.#sums[bin]) / inside : 0.5;
    return this.lowNs + (bin + Math.min(1, Math.max(0, share))) * this.binNs;
  }

  /** Weight of the delays below `delayNs`. */
  weightBelow(delayNs: number): number {
    if (!this.isLaid) return 0;
    const at = (delayNs - this.lowNs) / this.binNs;
    if (!(at > 0)) return 0;
    return this.#sumAt(Math.min(BINS, at));
  }

  /** Density at `delayNs` (share of probes per ns). */
  densityAt(delayNs: number): number {
    if (!this.isLaid) return 0;
    const bin = Math.floor((delayNs - this.lowNs) / this.binNs);
    return Math.exp(this.#logDensity[Math.min(BINS - 1, Math.max(0, bin))]) / this.binNs;
  }

  /** Logarithm of the share of probes with a longer delay; `at` in bins from the lowest. */
  logBeyond(at: number): number {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(at)));
    const low = this.#sums[bin];
    const inside = Math.min(1, Math.max(0, at - bin));
    const sum = low + inside * (this.#sums[bin + 1] - low);
    return Math.log(Math.max(STRAY, 1 - sum / this.weight));
  }

  /** Share of probes beyond the last bin or before the first (0 to 1). */
  get outsideShare(): number {
    return this.weight > 0 ? (this.#below + this.#beyond) / this.weight : 0;
  }

  /** Weight between two places (bins), and up to one, of the delays that the densities rest on. */
  #between(from: number, to: number): number {
    return this.#sumAt(to) - this.#sumAt(from);
  }

  #sumAt(at: number): number {
    const bin = Math.min(BINS - 1, Math.floor(at));
    const low = this.#sums[bin];
    return low + (at - bin) * (this.#sums[bin + 1] - low);
  }

  #sum(): void {
    const scale = 1 / this.#gain;
    let sum = this.#below;
    sums[0] = sum;
    for (let i = 0; i < BINS; i++) {
      sum += this.#counts[i] * scale;
      sums[i + 1] = sum;
    }
  }

  /** Brings the counts to the scale on which a new delay weighs 1. */
  #rescale(): void {
    for (let i = 0; i < BINS; i++) this.#counts[i] /= this.#gain;
    this.#gain = 1;
  }

  /** Quantile (in bins) of what is not below all bins: stamps that are far too early tell no scale. */
  #insideAt(q: number): number {
    const wanted = this.#below + q * (this.weight - this.#below);
    const bin = binAt(sums, wanted);
    const inside = sums[bin + 1] - sums[bin];
    return bin + (inside > 0 ? Math.min(1, Math.max(0, wanted - sums[bin]) / inside) : 0);
  }

  /** Lays the bins anew when width or place no longer fit. */
  #fit(): number {
    const at = (q: number) => this.#insideAt(q);
    const width = scaleWidth(this.effectiveCount);
    const share = steepest(at, width);
    const low = at(share);
    const high = at(share + width);
    const factor = Math.max(BIN_NS_MIN / this.binNs, (high - low) / binsAcross(width));
    const wide = factor > RESCALE || factor < 1 / RESCALE;
    const moved = low < BELOW / 2 || low > 2 * BELOW;
    if (!wide && !moved) return share;
    const binNs = wide ? this.binNs * factor : this.binNs;
    const lowNs = this.lowNs + low * this.binNs - BELOW * binNs;
    this.#relay(lowNs, binNs);
    this.#sum();
    return share;
  }

  /** Spreads the counts over new bins. */
  #relay(lowNs: number, binNs: number): void {
    this.#isDrawn = false;
    const out = relaid;
    out.fill(0);
    this.#rescale();
    let below = this.#below;
    let beyond = this.#beyond;
    for (let i = 0; i < BINS; i++) {
      const count = this.#counts[i];
      if (count === 0) continue;
      const from = (this.lowNs + i * this.binNs - lowNs) / binNs;
      const to = from + this.binNs / binNs;
      const perBin = count / (to - from);
      if (from < 0) below += perBin * (Math.min(0, to) - from);
      if (to > BINS) beyond += perBin * (to - Math.max(BINS, from));
      const last = Math.min(BINS, to);
      for (let b = Math.max(0, Math.floor(from)); b < last; b++) {
        out[b] += perBin * (Math.min(b + 1, last) - Math.max(b, from));
      }
    }
    this.#counts.set(out);
    this.#below = below;
    this.#beyond = beyond;
    this.lowNs = lowNs;
    this.binNs = binNs;
  }
}

/** How far apart the two quantiles are for so many delays. */
const scaleWidth = (count: number): number =>
  Math.min(SCALE_WIDTH_MAX, Math.max(SCALE_WIDTH, SCALE_POINTS / count));

/** Parts of the distance of two quantiles so far apart. */
const binsAcross = (width: number): number => (SCALE_BINS * width) / SCALE_WIDTH;

/** Lower edge and width of the bins for delays of which `sortedNs` (rising) are examples (ns). */
export function binsFor(sortedNs: Float64Array, count: number): { lowNs: number; binNs: number } {
  assert(count > 0, "a shape is laid by examples");
  const at = (q: number) => sortedNs[Math.min(count - 1, Math.floor(q * count))];
  const width = scaleWidth(count);
  const low = steepest(at, width);
  const lowNs = at(low);
  const binNs = Math.max(BIN_NS_MIN, (at(low + width) - lowNs) / binsAcross(width));
  return { lowNs: lowNs - BELOW * binNs, binNs };
}

/** First bin whose upper edge has at least the wanted weight below it. */
function binAt(upTo: Float64Array | Float32Array, wanted: number): number {
  let low = 0;
  let high = BINS - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (upTo[middle + 1] >= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

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
