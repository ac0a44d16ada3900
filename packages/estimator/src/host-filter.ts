/**
 * One host's raw clock against the reference's, followed through time.
 *
 * Problem: each round gives an offset and a frequency of the newest half second, a little old and noisy;
 * wanted are both now. How restless the crystal is nobody says: random walks of 1 to 10 ppb per
 * square root of s are ordinary, and a fan that starts changes the frequency by 50 ppb/s. A filter
 * for a quiet clock lags behind a lively one, one for a lively clock passes the noise of a quiet
 * one.
 *
 * Approach: five Kalman filters, for a quiet to a lively clock (`clock-model.ts`), run side by side.
 * Each is weighted by how likely it made the last measurements, the memory of which fades over some
 * 50 s; the result is the mean of all, its variance the mixture's (multiple models; Magill, IEEE
 * Trans. Automatic Control 10(4), 1965; Bar-Shalom et al., section 11.6). A model that loses the
 * clock is set to where the lively one is.
 *
 * Figures (`host-filter.sim.test.ts`): RMS error of the prediction 0.35 s after the middle of half
 * seconds measured with a sigma of 10 ns, here against one filter (1 ppb per square root of s), in ns:
 * walk of 1 ppb 6 : 7, walk of 10 ppb 11 : 14, ramps of 50 ppb/s 13 : 67. Error over sigma with
 * measurements of 2 to 50 ns: 1.0 to 1.3, against 1.0 to 4.8.
 *
 * It cannot see: an error that all measurements share, such as an asymmetry.
 */
import { assert } from "@ttcs/units";
import { ClockModel, type ClockStart, type ClockWander, MODEL_NUMBERS } from "./clock-model.ts";

/** How a crystal may behave. Without a wander the filter learns it; with one it is as told. */
export interface HostFilterOptions {
  /** Random walk of the frequency (ppb per square root of s, above 0). */
  readonly freqWanderPpbPerSqrtS?: number;
  /** Random walk of the frequency's rate (ppb/s per square root of s, above 0). */
  readonly freqRateWanderPpbPerSPerSqrtS?: number;
  /** Rate of the frequency before anything is known: standard deviation (ppb/s, default 20). */
  readonly freqRateSigmaPpbPerS?: number;
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

/** From quiet to lively; the liveliest decides what is no measurement of this clock. */
const WANDERS: readonly ClockWander[] = [
  { freqPpbPerSqrtS: 1, freqRatePpbPerSPerSqrtS: 0.1, freqRateSigmaPpbPerS: 2 },
  { freqPpbPerSqrtS: 3, freqRatePpbPerSPerSqrtS: 0.5, freqRateSigmaPpbPerS: 5 },
  { freqPpbPerSqrtS: 10, freqRatePpbPerSPerSqrtS: 2, freqRateSigmaPpbPerS: 10 },
  { freqPpbPerSqrtS: 5, freqRatePpbPerSPerSqrtS: 15, freqRateSigmaPpbPerS: 30 },
  { freqPpbPerSqrtS: 10, freqRatePpbPerSPerSqrtS: 70, freqRateSigmaPpbPerS: 50 },
];
const FREQ_RATE_SIGMA = 20;
/** Frequency of a clock of which nothing is known: standard deviation (ppb). */
const FREQ_SIGMA_PPB = 100_000;
/** What a round leaves of the evidence before it. */
const MEMORY = 0.99;
/** Evidence against a model beyond this (natural logarithm) is forgotten: it may come back. */
const LOG_WEIGHT_MIN = -7;
/** Measurements by which surprises are gauged, the limit of one's share, and of the result. */
const SCALE_MEMORY = 60;
const SURPRISE_MAX = 9;
const SCALE_MIN = 0.4;
const SCALE_MAX = 4;
/** A measurement further off is a fault of the measurement, not of the clock. */
const GATE_SIGMAS = 6;
/** So many rejections in a row mean that the clock has changed: begin anew with the measurement. */
const REJECTIONS_TO_RESET = 4;

/** See the module head. Times are seconds on any one axis; offsets have any one zero. */
export class HostFilter {
  readonly #models: readonly ClockModel[];
  readonly #liveliest: ClockModel;
  readonly #logWeights: Float64Array;
  /** Shares of the models, 1 in all. */
  readonly #weights: Float64Array;
  /** Variance of what surprises, against what the models expect. */
  #scale = 1;
  #count = 0;
  #atS = Number.NaN;
  #rejections = 0;

  constructor(options: HostFilterOptions = {}) {
    const wanders = wandersOf(options);
    // One piece: a coordinator holds a filter for every host, an agent one for every edge.
    const memory = new Float64Array(wanders.length * MODEL_NUMBERS);
    this.#models = wanders.map((w, i) => new ClockModel(w, memory, i * MODEL_NUMBERS));
    this.#liveliest = this.#models[this.#models.length - 1];
    this.#logWeights = new Float64Array(this.#models.length);
    this.#weights = new Float64Array(this.#models.length);
  }

  /** Forgets everything. */
  reset(): void {
    this.#atS = Number.NaN;
    this.#rejections = 0;
  }

  /** Rate of the frequency (ppb/s) at the last measurement. */
  get freqRatePpbPerS(): number {
    if (Number.isNaN(this.#atS)) return 0;
    let rate = 0;
    for (let i = 0; i < this.#models.length; i++) {
      const model = this.#models[i];
      model.project(this.#atS);
      rate += this.#weights[i] * model.freqRatePpbPerS;
    }
    return rate;
  }

  /**
   * Takes the measurement of one round.
   *
   * The first one, and the fourth in a row that does not fit, is taken as it is. One that is older
   * than the state, or no number, is rejected without counting.
   *
   * @param atS instant that it holds for (s).
   */
  update(
    atS: number,
    offsetNs: number,
    offsetSigmaNs: number,
    freqPpb = 0,
    freqSigmaPpb = FREQ_SIGMA_PPB,
  ): FilterUpdate {
    const sound = Number.isFinite(atS + offsetNs + freqPpb + offsetSigmaNs + freqSigmaPpb);
    if (!sound || !(offsetSigmaNs > 0) || !(freqSigmaPpb > 0)) return rejected;
    const seen = { atS, offsetNs, offsetSigmaNs, freqPpb, freqSigmaPpb };
    if (Number.isNaN(this.#atS)) return this.#begin(seen, 0);
    if (atS < this.#atS) return rejected;
    const innovationSigmas = this.#liveliest.weigh(seen);
    // What is no number does not fit either.
    if (!(innovationSigmas <= GATE_SIGMAS)) {
      this.#rejections++;
      if (this.#rejections < REJECTIONS_TO_RESET) return { accepted: false, innovationSigmas };
      return this.#begin(seen, innovationSigmas);
    }
    this.#rejections = 0;
    this.#atS = atS;
    this.#gauge(seen);
    for (let i = 0; i < this.#models.length; i++) {
      const model = this.#models[i];
      const fits = model.weigh(seen) <= GATE_SIGMAS;
      const evidence = fits ? model.take(seen) : Number.NEGATIVE_INFINITY;
      this.#logWeights[i] = MEMORY * this.#logWeights[i] + evidence;
    }
    for (let i = 0; i < this.#models.length; i++) {
      if (this.#logWeights[i] === Number.NEGATIVE_INFINITY) this.#models[i].adopt(this.#liveliest);
    }
    this.#share();
    return { accepted: true, innovationSigmas };
  }

  /** The state at an instant, later or a little earlier than the last measurement. */
  predict(atS: number): FilterEstimate {
    if (Number.isNaN(this.#atS)) return unknown;
    // Means are taken of the differences: exact when the models agree, however large the offset.
    this.#liveliest.project(atS);
    let offsetNs = this.#liveliest.offsetNs;
    let freqPpb = this.#liveliest.freqPpb;
    const [baseNs, basePpb] = [offsetNs, freqPpb];
    for (let i = 0; i < this.#models.length; i++) {
      const model = this.#models[i];
      model.project(atS);
      offsetNs += this.#weights[i] * (model.offsetNs - baseNs);
      freqPpb += this.#weights[i] * (model.freqPpb - basePpb);
    }
    let offsetVariance = 0;
    let freqVariance = 0;
    for (let i = 0; i < this.#models.length; i++) {
      const model = this.#models[i];
      const offsetApart = model.offsetNs - offsetNs;
      const freqApart = model.freqPpb - freqPpb;
      offsetVariance += this.#weights[i] * (model.offsetVariance + offsetApart * offsetApart);
      freqVariance += this.#weights[i] * (model.freqVariance + freqApart * freqApart);
    }
    return {
      offsetNs,
      freqPpb,
      offsetSigmaNs: Math.sqrt(this.#scale * offsetVariance),
      freqSigmaPpb: Math.sqrt(this.#scale * freqVariance),
    };
  }

  /** Learns from a measurement how large its surprise is against the expected one. */
  #gauge(seen: ClockStart): void {
    let mean = 0;
    let variance = seen.offsetSigmaNs ** 2;
    for (let i = 0; i < this.#models.length; i++) {
      const model = this.#models[i];
      model.project(seen.atS);
      mean += this.#weights[i] * (model.offsetNs - seen.offsetNs);
    }
    for (let i = 0; i < this.#models.length; i++) {
      const model = this.#models[i];
      const apart = model.offsetNs - seen.offsetNs - mean;
      variance += this.#weights[i] * (model.offsetVariance + apart * apart);
    }
    const surprise = Math.min(SURPRISE_MAX, (mean * mean) / variance);
    this.#count = Math.min(SCALE_MEMORY, this.#count + 1);
    this.#scale += (surprise - this.#scale) / this.#count;
    this.#scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, this.#scale));
  }

  #begin(seen: ClockStart, innovationSigmas: number): FilterUpdate {
    this.#atS = seen.atS;
    this.#rejections = 0;
    for (const model of this.#models) model.begin(seen);
    this.#logWeights.fill(0);
    this.#scale = 1;
    this.#count = SCALE_MEMORY / 4;
    this.#share();
    return { accepted: true, innovationSigmas };
  }

  /** Brings the evidence to shares. */
  #share(): void {
    let best = Number.NEGATIVE_INFINITY;
    for (const weight of this.#logWeights) best = Math.max(best, weight);
    let sum = 0;
    for (let i = 0; i < this.#weights.length; i++) {
      this.#logWeights[i] = Math.max(LOG_WEIGHT_MIN, this.#logWeights[i] - best);
      this.#weights[i] = Math.exp(this.#logWeights[i]);
      sum += this.#weights[i];
    }
    for (let i = 0; i < this.#weights.length; i++) this.#weights[i] /= sum;
  }
}

/** The wanders to try: those of the table, or the one that was told. */
function wandersOf(options: HostFilterOptions): readonly ClockWander[] {
  const { freqWanderPpbPerSqrtS: freq, freqRateWanderPpbPerSPerSqrtS: rate } = options;
  if (freq === undefined && rate === undefined) return WANDERS;
  const told = {
    freqPpbPerSqrtS: freq ?? 1,
    freqRatePpbPerSPerSqrtS: rate ?? 1,
    freqRateSigmaPpbPerS: options.freqRateSigmaPpbPerS ?? FREQ_RATE_SIGMA,
  };
  assert(told.freqPpbPerSqrtS > 0 && told.freqRatePpbPerSPerSqrtS > 0, "a clock wanders");
  return [told];
}

const rejected: FilterUpdate = { accepted: false, innovationSigmas: Number.NaN };

const unknown: FilterEstimate = {
  offsetNs: 0,
  freqPpb: 0,
  offsetSigmaNs: Number.POSITIVE_INFINITY,
  freqSigmaPpb: Number.POSITIVE_INFINITY,
};
