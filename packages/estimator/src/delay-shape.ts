/**
 * What the delays of one direction of an edge look like, learnt from the last minute of probes.
 *
 * Problem: how much one probe says of the clocks depends on how likely its delay is. Of probes that
 * met no queue a hundred times as much is known as of others, and where the floor lies nobody tells.
 * Approach: a histogram of delays against the edge's own offset line (`delay-counts.ts`), in equal bins
 * from a little below the floor to far above (`delay-bins.ts`). Its density (`delay-density.ts`) serves
 * as likelihood (`block-offset.ts`), its low quantiles as floor.
 *
 * Memory: an agent holds four shapes for each of its edges and a round looks into all of them, so that
 * they are read from afar rather than from a cache. Hence 32 bits for what is kept; sums are made with
 * 64.
 *
 * It cannot see: where the floor is in truth. Both directions are read in the same way, so what is
 * common to both cancels.
 */
import { BINS, binsFor, refitBins } from "./delay-bins.ts";
import { DelayCounts } from "./delay-counts.ts";
import { type BinnedDelays, drawDensity, STRAY } from "./delay-density.ts";
import { binAt, insideQuantile, weightUpTo } from "./delay-sums.ts";

/** Densities are brought up to date when so large a share of delays is new: it takes 20 us. */
const REFRESH_SHARE = 0.04;
/** With more delays outside the bins than these shares, the shape is not that of the delays. */
const BELOW_SHARE_MAX = 0.25;
const BEYOND_SHARE_MAX = 0.97;

/** What a shape without memory of its own reads. */
const NONE = new Float32Array(BINS + 1);

// Reused by all shapes while they are brought up to date.
const sums = new Float64Array(BINS + 1);

/** See the module head. */
export class DelayShape implements BinnedDelays {
  /** Weighted number of probes that the densities rest on, those beyond the bins included. */
  weight = 0;
  /** Rises whenever the densities change. */
  version = 0;
  /** Those that have come since are in here, too. */
  readonly #counts = new DelayCounts();
  /** False: the densities are not of these bins. */
  #isDrawn = false;
  /** Weight up to the lower edge of each bin. */
  #sums = NONE;
  #logDensity = NONE;

  /** Width of a bin (ns); 0: none are laid. */
  get binNs(): number {
    return this.#counts.binNs;
  }

  /** Delay at the lower edge of the first bin (ns). */
  get lowNs(): number {
    return this.#counts.lowNs;
  }

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
    return this.#counts.effectiveCount;
  }

  /** Forgets everything. */
  clear(): void {
    this.version++;
    this.#isDrawn = false;
    this.weight = 0;
    this.#counts.clear();
  }

  /** Lays the bins for delays of which `sortedNs` (rising, `count` of them) are examples. */
  lay(sortedNs: Float64Array, count: number): void {
    this.#counts.lay(binsFor(sortedNs, count));
    if (this.#sums !== NONE) return;
    // One piece of memory: a column of its own costs more than what stands in it.
    const memory = new Float32Array(3 * BINS + 1);
    this.#counts.keepIn(memory.subarray(0, BINS));
    this.#logDensity = memory.subarray(BINS, 2 * BINS);
    this.#sums = memory.subarray(2 * BINS);
  }

  /** Lets all counts fade by a factor (0 to 1). */
  fade(factor: number): void {
    this.#counts.fade(factor);
  }

  /** Counts one delay (ns). */
  add(delayNs: number): void {
    this.#counts.add(delayNs);
  }

  /**
   * Brings sums and densities up to date when enough delays are new. When most delays have left the
   * bins, the shape is forgotten: it is of another course.
   *
   * @param twin a shape that is probably alike; its delays are shorter by `apartNs`.
   */
  refresh(twin?: DelayShape, apartNs = 0): void {
    const counts = this.#counts;
    if (counts.unseen < REFRESH_SHARE * this.weight) return;
    counts.unseen = 0;
    this.version++;
    this.weight = counts.counted;
    const lost = counts.below > BELOW_SHARE_MAX * this.weight;
    if (lost || counts.beyond > BEYOND_SHARE_MAX * this.weight) {
      this.clear();
      return;
    }
    counts.sumUp(sums);
    const at = (q: number) => insideQuantile(sums, this.weight, q);
    const { rise, better } = refitBins(counts, at, counts.effectiveCount);
    if (better) {
      this.#isDrawn = false;
      counts.relay(better);
      counts.sumUp(sums);
    }
    this.#sums.set(sums);
    const pair = twin && { delays: twin, apartNs };
    drawDensity(this, at(rise), this.#isDrawn, pair, this.#logDensity);
    this.#isDrawn = true;
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
    return weightUpTo(this.#sums, Math.min(BINS, at));
  }

  /** Weight between two places (bins) of the delays that the densities rest on. */
  between(from: number, to: number): number {
    return weightUpTo(this.#sums, to) - weightUpTo(this.#sums, from);
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
}
