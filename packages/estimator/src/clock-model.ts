/**
 * A clock of one given liveliness, followed through overlapping windows.
 *
 * Three states of the clock (Galleani and Tavella, "The characterization of clock behaviour with
 * Kalman filters", Metrologia 40, 2003):
 *
 *     offset' = freq + w1-integral,  freq' = freqRate + w1,  freqRate' = w2
 *
 * w1: random walk of frequency, what a crystal does by itself. w2: random walk of the frequency's
 * rate, what temperature does to it.
 *
 * Problem: a window of 2 s closes every 0.5 s, so a probe takes part in four measurements and their
 * errors are correlated. Approach: four more states, the mean error of the probes of each half
 * second that the window holds (state augmentation; Bar-Shalom et al., "Estimation with
 * Applications to Tracking and Navigation", 2001, section 8.2). A straight line through a window is
 * off by the mean of its blocks' errors at the middle, and its slope by their regression slope.
 * Three of four blocks of a window are known from the one before, so each probe counts once, and at
 * its own age: the newest block is 0.75 s younger than the middle.
 *
 * A quantile fit is no mean of blocks; a share of the variance is therefore left independent. What a
 * window's sigma has beyond its blocks' is independent too, with as many times the variance as
 * windows overlap.
 *
 * A bent course: the line through a parabola lies rate W^2 / 24 above it at the middle (the mean of
 * t^2 / 2 over the window), which is part of the measurement.
 */
import { GaussianState } from "./gaussian-state.ts";

/** Wander of a clock. */
export interface ClockWander {
  /** Random walk of the frequency (ppb per square root of s). */
  readonly freqPpbPerSqrtS: number;
  /** Random walk of the frequency's rate (ppb/s per square root of s). */
  readonly freqRatePpbPerSPerSqrtS: number;
}

/** What one window says. */
export interface WindowMeasurement {
  /** Instant that it holds for: the middle of the window (s). */
  readonly atS: number;
  readonly offsetNs: number;
  readonly offsetSigmaNs: number;
  readonly freqPpb: number;
  readonly freqSigmaPpb: number;
}

/** Places in the state: the clock's, then the blocks', the newest first. */
const OFFSET = 0;
const FREQ = 1;
const RATE = 2;
const BLOCKS = 4;
const STATES = 3 + BLOCKS;
/** Distances of the blocks' middles from the window's, in lengths of the window. */
const BLOCK_PLACES = [0.375, 0.125, -0.125, -0.375];
/** Sum of the squares of the places above. */
const PLACE_SQUARES = 0.3125;
/**
 * Share of a window's variance that its neighbours do not know. Of 0.02 to 0.5, 0.25 had about the
 * least error on fits of simulated streams; 0.02 was up to 1.7 times worse where probes queue.
 */
const INDEPENDENT_SHARE = 0.25;
/** Windows closer to each other than a tenth of their length count as that far apart. */
const MAX_OVERLAP = 10;

/** See the module head. Times are seconds on any one axis. */
export class ClockModel {
  readonly #wander: ClockWander;
  readonly #rateSigma: number;
  readonly #windowS: number;
  #atS = Number.NaN;
  readonly #state = new GaussianState(STATES);
  /** Variance of each block's error as it was drawn. */
  readonly #blockVariance = new Float64Array(BLOCKS);
  readonly #offsetSeen = new Float64Array(STATES);
  readonly #freqSeen = new Float64Array(STATES);
  // Where `project` and `weigh` leave the state at another instant.
  readonly #ahead = new GaussianState(STATES);
  readonly #aheadVariance = new Float64Array(BLOCKS);
  #offsetVariance = 0;
  #freqVariance = 0;

  /** @param rateSigmaPpbPerS standard deviation of the frequency's rate when nothing is known. */
  constructor(wander: ClockWander, rateSigmaPpbPerS: number, windowS: number) {
    this.#wander = wander;
    this.#rateSigma = rateSigmaPpbPerS;
    this.#windowS = windowS;
    this.#offsetSeen.set([1, 0, (windowS * windowS) / 24, 0.25, 0.25, 0.25, 0.25]);
    this.#freqSeen[FREQ] = 1;
    BLOCK_PLACES.forEach((place, i) => {
      this.#freqSeen[3 + i] = place / (PLACE_SQUARES * windowS);
    });
  }

  /** State at the instant last projected to: offset (ns), freq (ppb), rate (ppb/s), variances. */
  get offsetNs(): number {
    return this.#ahead.mean[OFFSET];
  }
  get freqPpb(): number {
    return this.#ahead.mean[FREQ];
  }
  get freqRatePpbPerS(): number {
    return this.#ahead.mean[RATE];
  }
  get offsetVariance(): number {
    return this.#ahead.covariance[OFFSET * STATES + OFFSET];
  }
  get freqVariance(): number {
    return this.#ahead.covariance[FREQ * STATES + FREQ];
  }

  /** Begins with one window, as it is. */
  begin(seen: WindowMeasurement): void {
    this.#atS = seen.atS;
    const { mean, covariance } = this.#state;
    mean.fill(0);
    covariance.fill(0);
    mean[OFFSET] = seen.offsetNs;
    mean[FREQ] = seen.freqPpb;
    const blockVariance = newBlockVariance(seen, this.#windowS);
    this.#blockVariance.fill(blockVariance);
    const [extraOffset, extraFreq] = this.#extraVariances(seen, this.#blockVariance);
    // offset = measured - what the window sees of rate and blocks - extra, and so for freq.
    covariance[RATE * STATES + RATE] = this.#rateSigma * this.#rateSigma;
    for (let i = 3; i < STATES; i++) covariance[i * STATES + i] = blockVariance;
    for (const [row, seenBy] of [
      [OFFSET, this.#offsetSeen],
      [FREQ, this.#freqSeen],
    ] as const) {
      for (let i = RATE; i < STATES; i++) {
        const shared = -seenBy[i] * covariance[i * STATES + i];
        covariance[row * STATES + i] = shared;
        covariance[i * STATES + row] = shared;
      }
    }
    for (let i = RATE; i < STATES; i++) {
      const variance = covariance[i * STATES + i];
      const [a, b] = [this.#offsetSeen[i], this.#freqSeen[i]];
      covariance[OFFSET * STATES + OFFSET] += a * a * variance;
      covariance[FREQ * STATES + FREQ] += b * b * variance;
      covariance[OFFSET * STATES + FREQ] += a * b * variance;
      covariance[FREQ * STATES + OFFSET] += a * b * variance;
    }
    const own = INDEPENDENT_SHARE;
    covariance[OFFSET * STATES + OFFSET] += extraOffset + own * seen.offsetSigmaNs ** 2;
    covariance[FREQ * STATES + FREQ] += extraFreq + own * seen.freqSigmaPpb ** 2;
  }

  /** Becomes what `other` is, apart from the wander. */
  adopt(other: ClockModel): void {
    this.#atS = other.#atS;
    this.#state.copyFrom(other.#state);
    this.#blockVariance.set(other.#blockVariance);
  }

  /** How far a window is from the prediction, in sigmas: the larger of offset and frequency. */
  weigh(seen: WindowMeasurement): number {
    const elapsedS = seen.atS - this.#atS;
    this.project(seen.atS);
    this.#aheadVariance.set(this.#blockVariance);
    const blockS = this.#windowS / BLOCKS;
    const fresh = Math.min(BLOCKS, Math.round(elapsedS / blockS));
    for (let i = 0; i < fresh; i++) this.#shiftBlocks(newBlockVariance(seen, this.#windowS));
    const [extraOffset, extraFreq] = this.#extraVariances(seen, this.#aheadVariance);
    const overlap = Math.max(1, Math.min(MAX_OVERLAP, this.#windowS / elapsedS));
    // What whole blocks cannot say of windows at odd distances.
    const odd = fresh === BLOCKS ? 0 : Math.abs(elapsedS / blockS - fresh);
    const own = INDEPENDENT_SHARE + odd;
    this.#offsetVariance = overlap * extraOffset + own * seen.offsetSigmaNs ** 2;
    this.#freqVariance = overlap * extraFreq + own * seen.freqSigmaPpb ** 2;
    const offsetNs = Math.abs(seen.offsetNs - this.#ahead.expected(this.#offsetSeen));
    const freqPpb = Math.abs(seen.freqPpb - this.#ahead.expected(this.#freqSeen));
    return Math.max(
      offsetNs / Math.sqrt(this.#ahead.varianceOf(this.#offsetSeen) + this.#offsetVariance),
      freqPpb / Math.sqrt(this.#ahead.varianceOf(this.#freqSeen) + this.#freqVariance),
    );
  }

  /** Takes the window just weighed; returns the logarithm of its likelihood. */
  take(seen: WindowMeasurement): number {
    this.#atS = seen.atS;
    this.#state.copyFrom(this.#ahead);
    this.#blockVariance.set(this.#aheadVariance);
    return (
      this.#state.observe(this.#offsetSeen, seen.offsetNs, this.#offsetVariance) +
      this.#state.observe(this.#freqSeen, seen.freqPpb, this.#freqVariance)
    );
  }

  /** Leaves the state at `atS` where the getters read it: x = F x, P = F P F' + Q. */
  project(atS: number): void {
    const t = atS - this.#atS;
    this.#ahead.copyFrom(this.#state);
    const { mean: x, covariance: p } = this.#ahead;
    x[OFFSET] += x[FREQ] * t + (x[RATE] * t * t) / 2;
    x[FREQ] += x[RATE] * t;
    for (let c = 0; c < STATES; c++) {
      p[c] += t * p[STATES + c] + ((t * t) / 2) * p[2 * STATES + c];
      p[STATES + c] += t * p[2 * STATES + c];
    }
    for (let r = 0; r < STATES; r++) {
      const row = r * STATES;
      p[row] += t * p[row + 1] + ((t * t) / 2) * p[row + 2];
      p[row + 1] += t * p[row + 2];
    }
    this.#addWander(t, p);
  }

  /** Adds Q: the integrals of both white noises over `t` (Galleani and Tavella 2003). */
  #addWander(t: number, p: Float64Array): void {
    // Backwards in time uncertainty grows too, while odd powers keep their sign.
    const s = Math.abs(t);
    const w1 = this.#wander.freqPpbPerSqrtS ** 2;
    const w2 = this.#wander.freqRatePpbPerSPerSqrtS ** 2;
    const offsetFreq = Math.sign(t) * ((w1 * s ** 2) / 2 + (w2 * s ** 4) / 8);
    const offsetRate = (w2 * s ** 3) / 6;
    const freqRate = Math.sign(t) * ((w2 * s ** 2) / 2);
    p[0] += (w1 * s ** 3) / 3 + (w2 * s ** 5) / 20;
    p[1] += offsetFreq;
    p[STATES] += offsetFreq;
    p[2] += offsetRate;
    p[2 * STATES] += offsetRate;
    p[STATES + 1] += w1 * s + (w2 * s ** 3) / 3;
    p[STATES + 2] += freqRate;
    p[2 * STATES + 1] += freqRate;
    p[2 * STATES + 2] += w2 * s;
  }

  /** The oldest block leaves, one that nothing is known of comes in. */
  #shiftBlocks(variance: number): void {
    const { mean: x, covariance: p } = this.#ahead;
    const n = STATES;
    for (let i = n - 1; i > 3; i--) {
      x[i] = x[i - 1];
      this.#aheadVariance[i - 3] = this.#aheadVariance[i - 4];
      for (let c = 0; c < n; c++) p[i * n + c] = p[(i - 1) * n + c];
    }
    for (let i = n - 1; i > 3; i--) {
      for (let r = 0; r < n; r++) p[r * n + i] = p[r * n + i - 1];
    }
    x[3] = 0;
    for (let i = 0; i < n; i++) {
      p[3 * n + i] = 0;
      p[i * n + 3] = 0;
    }
    p[3 * n + 3] = variance;
    this.#aheadVariance[0] = variance;
  }

  /** Variances of a window's offset and frequency beyond its blocks' and its own share. */
  #extraVariances(seen: WindowMeasurement, blocks: Float64Array): [number, number] {
    let offset = 0;
    let freq = 0;
    for (let i = 0; i < BLOCKS; i++) {
      offset += this.#offsetSeen[3 + i] ** 2 * blocks[i];
      freq += this.#freqSeen[3 + i] ** 2 * blocks[i];
    }
    const known = 1 - INDEPENDENT_SHARE;
    return [
      Math.max(0, known * seen.offsetSigmaNs ** 2 - offset),
      Math.max(0, known * seen.freqSigmaPpb ** 2 - freq),
    ];
  }
}

/**
 * Variance of a block's error: the mean of four such errors has the offset's variance, their slope
 * the frequency's, less the independent share. The smaller counts. An offset that is uncertain
 * because edges disagree says nothing of the slope: blocks as large as that would explain any.
 */
function newBlockVariance(seen: WindowMeasurement, windowS: number): number {
  const byOffset = BLOCKS * seen.offsetSigmaNs ** 2;
  const byFreq = PLACE_SQUARES * (windowS * seen.freqSigmaPpb) ** 2;
  return (1 - INDEPENDENT_SHARE) * Math.min(byOffset, byFreq);
}
