/**
 * A free-running clock with a known truth: skew, random walk of frequency, and a slow swing.
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
const SWING_PPB = 1_000;
const SWING_PERIOD_S = 3_600;

/** See the module head. Times are true ns since the start of the recording. */
export class Crystal {
  readonly #random: Prng;
  readonly #skewPpb: number;
  readonly #wanderPpb: number;
  readonly #phase: number;
  #walkPpb = 0;
  /** Phase (ns) and frequency (ppb) at the knots; a ring. */
  readonly #phaseNs = new Float64Array(KNOTS_KEPT);
  readonly #freqPpb = new Float64Array(KNOTS_KEPT);
  #knots = 0;

  constructor(random: Prng) {
    this.#random = random;
    this.#skewPpb = random.between(-SKEW_PPB_MAX, SKEW_PPB_MAX);
    // Decades count alike: a clock ten times as good is as likely as one at the other end.
    const spread = Math.log(WANDER_PPB_MAX / WANDER_PPB_MIN);
    this.#wanderPpb = WANDER_PPB_MIN * Math.exp(spread * random.uniform());
    this.#phase = random.between(0, 2 * Math.PI);
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
    const swingPpb = SWING_PPB * Math.sin((2 * Math.PI * atS) / SWING_PERIOD_S + this.#phase);
    this.#freqPpb[at] = this.#skewPpb + this.#walkPpb + swingPpb;
    if (this.#knots > 0) {
      const before = (this.#knots - 1) % KNOTS_KEPT;
      const meanPpb = (this.#freqPpb[before] + this.#freqPpb[at]) / 2;
      this.#phaseNs[at] = this.#phaseNs[before] + meanPpb * 1e-9 * KNOT_NS;
    }
    this.#knots++;
  }
}
