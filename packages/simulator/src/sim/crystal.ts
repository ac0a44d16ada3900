/**
 * A host's crystal: raw time against true time.
 *
 * The frequency is a polygon with knots every 20 ms: a constant error, a random walk, and a swing of
 * temperature (sine). The phase is its integral, exact between knots; that is the truth by definition,
 * known to nobody but the simulation. It is followed as far as it is asked for; the past is kept for
 * as long as a stamp may lie back.
 *
 * A jump of the frequency takes effect at the next knot but one. Cannot show: flicker between knots.
 */
import { assert, type Prng } from "@ttcs/units";

/** Distance of the knots (ns). */
const KNOT_NS = 20e6;
/** Knots kept (41 s): pauses are shorter. A power of two. */
const KNOTS_KEPT = 2048;

/** What a crystal can be. */
export interface CrystalSpec {
  /** The constant error lies within this, both ways (ppb). */
  readonly freqPpbMax: number;
  /** Random walk of the frequency (ppb per square root of s), drawn between these, decades alike. */
  readonly wanderPpbMin: number;
  readonly wanderPpbMax: number;
  /** Amplitude of the swing (ppb), and its period, drawn between these (s). */
  readonly swingPpb: number;
  readonly swingPeriodSMin: number;
  readonly swingPeriodSMax: number;
}

/** See the module head. Times are true ns since the start of the world. */
export class Crystal {
  readonly #random: Prng;
  readonly #spec: CrystalSpec;
  /** The constant error (ppb). */
  readonly freqPpb: number;
  readonly #wanderPpb: number;
  readonly #periodS: number;
  readonly #turn: number;
  #walkPpb = 0;
  #knots = 0;
  readonly #phaseNs = new Float64Array(KNOTS_KEPT);
  /** Frequency error at the knots (1, not ppb). */
  readonly #rate = new Float64Array(KNOTS_KEPT);

  constructor(spec: CrystalSpec, random: Prng) {
    this.#spec = spec;
    this.#random = random;
    this.freqPpb = random.between(-spec.freqPpbMax, spec.freqPpbMax);
    const { wanderPpbMin, wanderPpbMax } = spec;
    const decades = wanderPpbMin > 0 ? Math.log(wanderPpbMax / wanderPpbMin) : 0;
    this.#wanderPpb = wanderPpbMin * Math.exp(decades * random.uniform());
    this.#periodS = random.between(spec.swingPeriodSMin, spec.swingPeriodSMax);
    this.#turn = random.uniform();
    this.#addKnot();
  }

  /** How far the raw clock has run ahead of true time since the start (ns). */
  phaseNs(atNs: number): number {
    const knot = Math.floor(atNs / KNOT_NS);
    if (knot + 1 >= this.#knots) this.#follow(knot);
    assert(knot > this.#knots - KNOTS_KEPT, "a crystal's past is kept for 40 s");
    const i = knot & (KNOTS_KEPT - 1);
    const next = (knot + 1) & (KNOTS_KEPT - 1);
    const sinceNs = atNs - knot * KNOT_NS;
    const bend = ((this.#rate[next] - this.#rate[i]) * sinceNs) / (2 * KNOT_NS);
    return this.#phaseNs[i] + (this.#rate[i] + bend) * sinceNs;
  }

  /** Frequency error (ppb, positive: runs fast). */
  freqPpbAt(atNs: number): number {
    const knot = Math.floor(atNs / KNOT_NS);
    this.#follow(knot);
    return this.#rate[knot & (KNOTS_KEPT - 1)] * 1e9;
  }

  /** From the next knots on the frequency is another by `ppb`. */
  jump(ppb: number): void {
    this.#walkPpb += ppb;
  }

  #follow(knot: number): void {
    while (this.#knots < knot + 2) this.#addKnot();
  }

  #addKnot(): void {
    const atS = this.#knots * KNOT_NS * 1e-9;
    const at = this.#knots & (KNOTS_KEPT - 1);
    if (this.#wanderPpb > 0) {
      this.#walkPpb += this.#wanderPpb * Math.sqrt(KNOT_NS * 1e-9) * this.#random.normal();
    }
    const swing = Math.sin(2 * Math.PI * (atS / this.#periodS + this.#turn));
    const rate = (this.freqPpb + this.#walkPpb + this.#spec.swingPpb * swing) * 1e-9;
    this.#rate[at] = rate;
    if (this.#knots > 0) {
      const before = (this.#knots - 1) & (KNOTS_KEPT - 1);
      this.#phaseNs[at] = this.#phaseNs[before] + ((this.#rate[before] + rate) / 2) * KNOT_NS;
    }
    this.#knots++;
  }
}
