/**
 * A free-running clock with a known truth: skew, random walk of frequency, and a swing.
 *
 * The frequency is a polygon with a knot every 10 ms; the phase is its integral, exact between the
 * knots. It is followed as far as it is asked for and forgotten behind, so that a recording of any
 * length takes the same memory.
 */
import { assert, type Prng } from "@ttcs/units";

/** Distance of the knots (ns). */
const KNOT_NS = 10_000_000;
/** Knots that are kept (16 s): the latest packet is not that late. */
const KNOTS_KEPT = 1_600;
/** What a clock can be: skew (ppb), wander (ppb per square root of s), swing (ppb) and its period. */
const SKEW_PPB_MAX = 20_000;
const WANDER_PPB_MIN = 1;
const WANDER_PPB_MAX = 10;

/** How the temperature swings a clock's frequency; every clock draws period and phase of its own. */
export interface Swing {
  readonly amplitudePpb: number;
  readonly periodSMin: number;
  readonly periodSMax: number;
}

/**
 * What may happen to the temperature. "slow": a machine room, 1 ppm within the hour. "strong": a
 * fan that comes and goes, 1 ppm up and down within 30 to 60 s, at most 0.2 ppm/s. "ramp": the same
 * with at most 0.05 ppm/s, the most that a bound allows for.
 */
export const swings = {
  slow: { amplitudePpb: 1_000, periodSMin: 3_600, periodSMax: 3_600 },
  strong: { amplitudePpb: 1_000, periodSMin: 30, periodSMax: 60 },
  ramp: { amplitudePpb: 400, periodSMin: 50.3, periodSMax: 100 },
} as const satisfies Record<string, Swing>;

/** Names of the swings. */
export type SwingName = keyof typeof swings;

/** See the module head. Times are true ns since the start of the recording. */
export class Crystal {
  readonly #random: Prng;
  readonly #skewPpb: number;
  readonly #wanderPpb: number;
  readonly #phase: number;
  readonly #swingPpb: number;
  readonly #periodS: number;
  #walkPpb = 0;
  /** Phase (ns) and frequency (ppb) at the knots; a ring. */
  readonly #phaseNs = new Float64Array(KNOTS_KEPT);
  readonly #freqPpb = new Float64Array(KNOTS_KEPT);
  #knots = 0;

  constructor(random: Prng, swing: Swing = swings.slow) {
    this.#random = random;
    this.#skewPpb = random.between(-SKEW_PPB_MAX, SKEW_PPB_MAX);
    // Decades count alike: a clock ten times as good is as likely as one at the other end.
    const spread = Math.log(WANDER_PPB_MAX / WANDER_PPB_MIN);
    this.#wanderPpb = WANDER_PPB_MIN * Math.exp(spread * random.uniform());
    this.#phase = random.between(0, 2 * Math.PI);
    const { amplitudePpb, periodSMin, periodSMax } = swing;
    this.#swingPpb = amplitudePpb;
    this.#periodS = periodSMin === periodSMax ? periodSMin : random.between(periodSMin, periodSMax);
    this.#addKnot();
  }

  /** What the clock shows since its zero at true time `trueNs` (ns). */
  at(trueNs: number): number {
    const knot = Math.floor(trueNs / KNOT_NS);
    while (this.#knots < knot + 2) this.#addKnot();
    assert(knot >= 0 && knot >= this.#knots - KNOTS_KEPT, "a clock's past is kept for 16 s");
    const i = knot % KNOTS_KEPT;
    const next = (knot + 1) % KNOTS_KEPT;
    const sinceNs = trueNs - knot * KNOT_NS;
    const meanPpb =
      this.#freqPpb[i] + ((this.#freqPpb[next] - this.#freqPpb[i]) * sinceNs) / (2 * KNOT_NS);
    return trueNs + this.#phaseNs[i] + meanPpb * 1e-9 * sinceNs;
  }

  #addKnot(): void {
    const atS = this.#knots * KNOT_NS * 1e-9;
    const at = this.#knots % KNOTS_KEPT;
    this.#walkPpb += this.#wanderPpb * Math.sqrt(KNOT_NS * 1e-9) * this.#random.normal();
    const swingPpb = this.#swingPpb * Math.sin((2 * Math.PI * atS) / this.#periodS + this.#phase);
    this.#freqPpb[at] = this.#skewPpb + this.#walkPpb + swingPpb;
    if (this.#knots > 0) {
      const before = (this.#knots - 1) % KNOTS_KEPT;
      const meanPpb = (this.#freqPpb[before] + this.#freqPpb[at]) / 2;
      this.#phaseNs[at] = this.#phaseNs[before] + meanPpb * 1e-9 * KNOT_NS;
    }
    this.#knots++;
  }
}
