/**
 * A clock of one given liveliness, followed through measurements of its offset.
 *
 * Three states of the clock (Galleani and Tavella, "The characterization of clock behaviour with
 * Kalman filters", Metrologia 40, 2003):
 *
 *     offset' = freq + w1-integral,  freq' = freqRate + w1,  freqRate' = w2
 *
 * w1: random walk of frequency, what a crystal does by itself. w2: random walk of the frequency's
 * rate, what temperature does to it.
 *
 * Assumes: the errors of measurements do not hang on each other.
 */
import { GaussianState, stateNumbers } from "./gaussian-state.ts";

/** Wander of a clock. */
export interface ClockWander {
  /** Random walk of the frequency (ppb per square root of s). */
  readonly freqPpbPerSqrtS: number;
  /** Random walk of the frequency's rate (ppb/s per square root of s). */
  readonly freqRatePpbPerSPerSqrtS: number;
  /** Rate of the frequency before anything is known: standard deviation (ppb/s). */
  readonly freqRateSigmaPpbPerS: number;
}

/** What is measured at one instant. */
export interface ClockMeasurement {
  readonly atS: number;
  readonly offsetNs: number;
  readonly offsetSigmaNs: number;
}

/** What a clock begins with. */
export interface ClockStart extends ClockMeasurement {
  readonly freqPpb: number;
  readonly freqSigmaPpb: number;
}

/** Places in the state. */
const OFFSET = 0;
const FREQ = 1;
const RATE = 2;
const STATES = 3;

/** What a measurement sees of the state. */
const OFFSET_SEEN = Float64Array.of(1, 0, 0);

/** Numbers that a model takes. */
export const MODEL_NUMBERS = 2 * stateNumbers(STATES);

/** See the module head. Times are seconds on any one axis. */
export class ClockModel {
  readonly #wander: ClockWander;
  #atS = Number.NaN;
  readonly #state: GaussianState;
  // Where `project` and `weigh` leave the state at another instant.
  readonly #ahead: GaussianState;
  /** The instant that it was left at (s); NaN: the state has changed since. */
  #aheadAtS = Number.NaN;

  /** @param memory where it stands, from entry `at` on. */
  constructor(wander: ClockWander, memory = new Float64Array(MODEL_NUMBERS), at = 0) {
    this.#wander = wander;
    this.#state = new GaussianState(STATES, memory, at);
    this.#ahead = new GaussianState(STATES, memory, at + stateNumbers(STATES));
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

  /** Begins with a measured offset and frequency, as they are. */
  begin(start: ClockStart): void {
    this.#atS = start.atS;
    this.#aheadAtS = Number.NaN;
    const { mean, covariance } = this.#state;
    mean.set([start.offsetNs, start.freqPpb, 0]);
    covariance.fill(0);
    covariance[OFFSET * STATES + OFFSET] = start.offsetSigmaNs ** 2;
    covariance[FREQ * STATES + FREQ] = start.freqSigmaPpb ** 2;
    covariance[RATE * STATES + RATE] = this.#wander.freqRateSigmaPpbPerS ** 2;
  }

  /** Becomes what `other` is, apart from the wander. */
  adopt(other: ClockModel): void {
    this.#atS = other.#atS;
    this.#aheadAtS = Number.NaN;
    this.#state.copyFrom(other.#state);
  }

  /** How far a measurement is from the prediction, in sigmas of both. */
  weigh(seen: ClockMeasurement): number {
    this.project(seen.atS);
    const variance = this.offsetVariance + seen.offsetSigmaNs ** 2;
    return Math.abs(seen.offsetNs - this.offsetNs) / Math.sqrt(variance);
  }

  /** Takes the measurement just weighed; returns the logarithm of its likelihood. */
  take(seen: ClockMeasurement): number {
    this.#atS = seen.atS;
    this.#aheadAtS = Number.NaN;
    this.#state.copyFrom(this.#ahead);
    return this.#state.observe(OFFSET_SEEN, seen.offsetNs, seen.offsetSigmaNs ** 2);
  }

  /** Leaves the state at `atS` where the getters read it: x = F x, P = F P F' + Q. */
  project(atS: number): void {
    if (atS === this.#aheadAtS) return;
    this.#aheadAtS = atS;
    const t = atS - this.#atS;
    this.#ahead.copyFrom(this.#state);
    if (t === 0) return;
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
    const s2 = s * s;
    const s3 = s2 * s;
    const offsetFreq = Math.sign(t) * ((w1 * s2) / 2 + (w2 * s2 * s2) / 8);
    const offsetRate = (w2 * s3) / 6;
    const freqRate = Math.sign(t) * ((w2 * s2) / 2);
    p[0] += (w1 * s3) / 3 + (w2 * s3 * s2) / 20;
    p[1] += offsetFreq;
    p[STATES] += offsetFreq;
    p[2] += offsetRate;
    p[2 * STATES] += offsetRate;
    p[STATES + 1] += w1 * s + (w2 * s3) / 3;
    p[STATES + 2] += freqRate;
    p[2 * STATES + 1] += freqRate;
    p[2 * STATES + 2] += w2 * s;
  }
}
