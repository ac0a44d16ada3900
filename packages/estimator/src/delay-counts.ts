/**
 * Delays of one direction, counted by bin and fading.
 *
 * Counts do not fade one by one: what comes weighs more than what came before, and from time to time
 * all are brought back to scale. Delays outside of the bins are counted only. When bins are laid anew
 * (`delay-bins.ts`) each count is spread evenly over where its bin was.
 *
 * It cannot see: where within a bin, or how far outside of the bins, a delay lay.
 */
import { BINS, type Bins } from "./delay-bins.ts";

/** Weight of a new delay at which all counts are brought back to scale. */
const GAIN_MAX = 1e6;

/** What counts without bins read. */
const NONE = new Float32Array(BINS);

// Reused by all counts while their bins are laid anew.
const relaid = new Float64Array(BINS);

/** See the module head. */
export class DelayCounts {
  /** Width of a bin (ns); 0: none are laid. */
  binNs = 0;
  /** Delay at the lower edge of the first bin (ns). */
  lowNs = 0;
  /** Weighted number of delays, and the sum of squared weights. */
  counted = 0;
  weightSquares = 0;
  /** How many came since the densities were drawn; the shape sets this back. */
  unseen = 0;
  /** Weighted number of those below the first bin and beyond the last. */
  below = 0;
  beyond = 0;
  /** Delays by bin, each with the weight that a new one had when it came. */
  #counts: Float32Array = NONE;
  #gain = 1;

  /** Number of equally weighted delays that would tell as much. */
  get effectiveCount(): number {
    const squares = this.weightSquares;
    return squares > 0 ? (this.counted * this.counted) / squares : 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.binNs = 0;
    this.counted = 0;
    this.unseen = 0;
    this.weightSquares = 0;
    this.below = 0;
    this.beyond = 0;
    this.#gain = 1;
    if (this.#counts !== NONE) this.#counts.fill(0);
  }

  /** Gives the counts a column of zeros for themselves, one number for each bin: call once. */
  keepIn(column: Float32Array): void {
    this.#counts = column;
  }

  /** Lays bins where there are none. */
  lay({ lowNs, binNs }: Bins): void {
    this.binNs = binNs;
    this.lowNs = lowNs;
  }

  /** Lets all counts fade by a factor (0 to 1). */
  fade(factor: number): void {
    this.#gain /= factor;
    if (this.#gain > GAIN_MAX) this.#rescale();
    this.below *= factor;
    this.beyond *= factor;
    this.counted *= factor;
    this.weightSquares *= factor * factor;
  }

  /** Counts one delay (ns). */
  add(delayNs: number): void {
    const bin = Math.floor((delayNs - this.lowNs) / this.binNs);
    this.counted++;
    this.unseen++;
    this.weightSquares++;
    if (bin < 0) this.below++;
    else if (bin >= BINS) this.beyond++;
    else this.#counts[bin] += this.#gain;
  }

  /** Fills `out` with the weight up to each edge of the bins (`delay-sums.ts`). */
  sumUp(out: Float64Array): void {
    const scale = 1 / this.#gain;
    let sum = this.below;
    out[0] = sum;
    for (let i = 0; i < BINS; i++) {
      sum += this.#counts[i] * scale;
      out[i + 1] = sum;
    }
  }

  /** Spreads the counts over new bins. */
  relay({ lowNs, binNs }: Bins): void {
    const out = relaid;
    out.fill(0);
    this.#rescale();
    let below = this.below;
    let beyond = this.beyond;
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
    this.below = below;
    this.beyond = beyond;
    this.lowNs = lowNs;
    this.binNs = binNs;
  }

  /** Brings the counts to the scale on which a new delay weighs 1. */
  #rescale(): void {
    for (let i = 0; i < BINS; i++) this.#counts[i] /= this.#gain;
    this.#gain = 1;
  }
}
