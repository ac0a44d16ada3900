/**
 * One host's raw clock against the reference's, followed through time.
 *
 * Problem: each round gives an offset and a frequency of the middle of a 2 s window, old and noisy;
 * wanted are both now. Approach: a Kalman filter with the three states of a clock (Galleani and
 * Tavella, "The characterization of clock behaviour with Kalman filters", Metrologia 40, 2003;
 * Bar-Shalom et al., "Estimation with Applications to Tracking and Navigation", section 6.2):
 *
 *     offset' = freq,  freq' = freqRate + w1,  freqRate' = w2
 *
 * w1: random walk of frequency, what an ordinary crystal does by itself. w2: random walk of the
 * frequency's rate, what temperature does to it. The measurement update is in Joseph form, which
 * keeps the covariance symmetric and positive whatever rounding does.
 *
 * Approximation: a window of 2 s closes every 0.5 s, so a probe takes part in four measurements and
 * their errors are correlated. Treated as independent measurements with as many times the variance:
 * over a whole window that leaves the information as it is, while one update counts too little.
 *
 * It cannot see: an error that all windows share, such as an asymmetry.
 */
import { assert } from "@ttcs/units";

/** How a crystal may behave, and what is rejected. */
export interface HostFilterOptions {
  /** Random walk of the frequency (ppb per square root of s, above 0; default 1). */
  readonly freqWanderPpbPerSqrtS?: number;
  /** Random walk of the frequency's rate (ppb/s per square root of s, above 0; default 1). */
  readonly freqRateWanderPpbPerSPerSqrtS?: number;
  /** Rate of the frequency before anything is known: standard deviation (ppb/s, default 20). */
  readonly freqRateSigmaPpbPerS?: number;
  /** Length of the window behind a measurement (s, default 2). */
  readonly windowS?: number;
}

/** What became of a measurement. */
export interface FilterUpdate {
  /** False: it was rejected, the state is as it was. */
  readonly accepted: boolean;
  /** How far it was from the prediction, in sigmas; the larger of offset and frequency. */
  readonly innovationSigmas: number;
}

/** The state at an instant. */
export interface FilterEstimate {
  /** Host's raw clock minus the reference's, less the zero (ns, positive: ahead). */
  readonly offsetNs: number;
  /** ns gained per second (positive: fast). */
  readonly freqPpb: number;
  /** Standard uncertainties; Infinity before the first measurement. */
  readonly offsetSigmaNs: number;
  readonly freqSigmaPpb: number;
}

/** An ordinary crystal at rest; a good one has a tenth. */
const FREQ_WANDER = 1;
/** Follows the onset of a ramp of 50 ppb/s with 0.3 us at worst; 0.5 rejects it, 3 is restless. */
const FREQ_RATE_WANDER = 1;
const FREQ_RATE_SIGMA = 20;
const WINDOW_S = 2;
/** A measurement further off is a fault of the measurement, not of the clock. */
const GATE_SIGMAS = 6;
/** So many rejections in a row mean that the clock has changed: begin anew with the measurement. */
const REJECTIONS_TO_RESET = 4;

/** Windows closer to each other than a tenth of their length count as that far apart. */
const MAX_OVERLAP = 10;

/** Three states: offset (ns), freq (ppb), freqRate (ppb/s). */
const STATES = 3;

/** See the module head. Times are seconds on any one axis; offsets have any one zero. */
export class HostFilter {
  readonly #freqWander: number;
  readonly #freqRateWander: number;
  readonly #freqRateSigma: number;
  readonly #windowS: number;
  #atS = Number.NaN;
  readonly #state = new Float64Array(STATES);
  /** Row by row. */
  readonly #covariance = new Float64Array(STATES * STATES);
  #rejections = 0;
  // Where `#project` leaves the state at another instant.
  readonly #ahead = new Float64Array(STATES);
  readonly #aheadCovariance = new Float64Array(STATES * STATES);
  readonly #scratch = new Float64Array(STATES * STATES);

  constructor(options: HostFilterOptions = {}) {
    this.#freqWander = options.freqWanderPpbPerSqrtS ?? FREQ_WANDER;
    this.#freqRateWander = options.freqRateWanderPpbPerSPerSqrtS ?? FREQ_RATE_WANDER;
    this.#freqRateSigma = options.freqRateSigmaPpbPerS ?? FREQ_RATE_SIGMA;
    this.#windowS = options.windowS ?? WINDOW_S;
    assert(this.#freqWander > 0 && this.#freqRateWander > 0, "a clock wanders");
    assert(this.#windowS > 0, "a window has a length");
  }

  /** Forgets everything. */
  reset(): void {
    this.#atS = Number.NaN;
    this.#rejections = 0;
  }

  /** Rate of the frequency (ppb/s). */
  get freqRatePpbPerS(): number {
    return this.#state[2];
  }

  /**
   * Takes the measurement of one window.
   *
   * The first one, and the fourth in a row that does not fit, is taken as it is. One that is older
   * than the state, or no number, is rejected without counting.
   *
   * @param atS instant that it holds for: the middle of the window (s).
   */
  update(
    atS: number,
    offsetNs: number,
    offsetSigmaNs: number,
    freqPpb: number,
    freqSigmaPpb: number,
  ): FilterUpdate {
    const sound = Number.isFinite(atS + offsetNs + freqPpb + offsetSigmaNs + freqSigmaPpb);
    if (!sound || !(offsetSigmaNs > 0) || !(freqSigmaPpb > 0)) return rejected;
    if (Number.isNaN(this.#atS)) {
      this.#begin(atS, offsetNs, offsetSigmaNs, freqPpb, freqSigmaPpb);
      return { accepted: true, innovationSigmas: 0 };
    }
    const elapsedS = atS - this.#atS;
    if (elapsedS < 0) return rejected;
    this.#project(atS);
    const stepS = Math.max(elapsedS, this.#windowS / MAX_OVERLAP);
    const inflation = Math.max(1, this.#windowS / stepS);
    const offsetVariance = inflation * offsetSigmaNs * offsetSigmaNs;
    const freqVariance = inflation * freqSigmaPpb * freqSigmaPpb;
    const p = this.#aheadCovariance;
    const innovationSigmas = Math.max(
      Math.abs(offsetNs - this.#ahead[0]) / Math.sqrt(p[0] + offsetVariance),
      Math.abs(freqPpb - this.#ahead[1]) / Math.sqrt(p[STATES + 1] + freqVariance),
    );
    if (innovationSigmas > GATE_SIGMAS) {
      this.#rejections++;
      if (this.#rejections < REJECTIONS_TO_RESET) return { accepted: false, innovationSigmas };
      this.#begin(atS, offsetNs, offsetSigmaNs, freqPpb, freqSigmaPpb);
      return { accepted: true, innovationSigmas };
    }
    this.#rejections = 0;
    this.#atS = atS;
    this.#state.set(this.#ahead);
    this.#covariance.set(p);
    this.#correct(0, offsetNs, offsetVariance);
    this.#correct(1, freqPpb, freqVariance);
    return { accepted: true, innovationSigmas };
  }

  /** The state at an instant, later or a little earlier than the last measurement. */
  predict(atS: number): FilterEstimate {
    if (Number.isNaN(this.#atS)) return unknown;
    this.#project(atS);
    return {
      offsetNs: this.#ahead[0],
      freqPpb: this.#ahead[1],
      offsetSigmaNs: Math.sqrt(this.#aheadCovariance[0]),
      freqSigmaPpb: Math.sqrt(this.#aheadCovariance[STATES + 1]),
    };
  }

  #begin(
    atS: number,
    offsetNs: number,
    offsetSigmaNs: number,
    freqPpb: number,
    freqSigmaPpb: number,
  ): void {
    this.#atS = atS;
    this.#rejections = 0;
    this.#state.set([offsetNs, freqPpb, 0]);
    this.#covariance.fill(0);
    this.#covariance[0] = offsetSigmaNs * offsetSigmaNs;
    this.#covariance[STATES + 1] = freqSigmaPpb * freqSigmaPpb;
    this.#covariance[2 * STATES + 2] = this.#freqRateSigma * this.#freqRateSigma;
  }

  /** Leaves state and covariance at `atS` in `#ahead`: x = F x, P = F P F' + Q. */
  #project(atS: number): void {
    const t = atS - this.#atS;
    const [offset, freq, rate] = this.#state;
    this.#ahead[0] = offset + freq * t + (rate * t * t) / 2;
    this.#ahead[1] = freq + rate * t;
    this.#ahead[2] = rate;
    const p = this.#covariance;
    const left = this.#scratch;
    const out = this.#aheadCovariance;
    for (let c = 0; c < STATES; c++) {
      left[c] = p[c] + t * p[STATES + c] + ((t * t) / 2) * p[2 * STATES + c];
      left[STATES + c] = p[STATES + c] + t * p[2 * STATES + c];
      left[2 * STATES + c] = p[2 * STATES + c];
    }
    for (let r = 0; r < STATES; r++) {
      const row = r * STATES;
      out[row] = left[row] + t * left[row + 1] + ((t * t) / 2) * left[row + 2];
      out[row + 1] = left[row + 1] + t * left[row + 2];
      out[row + 2] = left[row + 2];
    }
    this.#addWander(t, out);
  }

  /** Adds Q: the integrals of both white noises over `t` (Galleani and Tavella 2003). */
  #addWander(t: number, p: Float64Array): void {
    // Backwards in time uncertainty grows too, while odd powers keep their sign.
    const s = Math.abs(t);
    const w1 = this.#freqWander * this.#freqWander;
    const w2 = this.#freqRateWander * this.#freqRateWander;
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

  /** Joseph form for a measurement of one state: P = (I - K h) P (I - K h)' + K R K'. */
  #correct(index: number, measured: number, variance: number): void {
    const x = this.#state;
    const p = this.#covariance;
    const total = p[index * STATES + index] + variance;
    const gain0 = p[index] / total;
    const gain1 = p[STATES + index] / total;
    const gain2 = p[2 * STATES + index] / total;
    const gain = [gain0, gain1, gain2];
    const innovation = measured - x[index];
    const left = this.#scratch;
    for (let r = 0; r < STATES; r++) {
      x[r] += gain[r] * innovation;
      for (let c = 0; c < STATES; c++) {
        left[r * STATES + c] = p[r * STATES + c] - gain[r] * p[index * STATES + c];
      }
    }
    for (let r = 0; r < STATES; r++) {
      for (let c = 0; c < STATES; c++) {
        const reduced = left[r * STATES + c] - gain[c] * left[r * STATES + index];
        p[r * STATES + c] = reduced + gain[r] * variance * gain[c];
      }
    }
  }
}

const rejected: FilterUpdate = { accepted: false, innovationSigmas: Number.NaN };

const unknown: FilterEstimate = {
  offsetNs: 0,
  freqPpb: 0,
  offsetSigmaNs: Number.POSITIVE_INFINITY,
  freqSigmaPpb: Number.POSITIVE_INFINITY,
};
