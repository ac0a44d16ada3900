/**
 * Biases of a mesh's edges in one world, by expectation propagation.
 *
 * Problem: apparent biases m = B d + b, with one unknown gauge d per host and biases b from a
 * mixture (`edge-bias-prior.ts`). The posterior has many peaks: which edges are the outliers, on
 * which side of a detour the bias lies. Approach: each edge's prior is replaced by a normal site of
 * precision w and information h. In turn, an edge is taken out, what the others say of its bias is
 * combined with its true prior, and the site is set so that mean and variance come out the same (T.
 * Minka, "Expectation propagation for approximate Bayesian inference", UAI 2001; damped). All
 * edges are done from one solve (`edge-bias-mean.ts`). The contradiction between edges counts for
 * less at first, by a temperature that falls to 1 (K. Rose, "Deterministic annealing", Proc. IEEE
 * 86(11), 1998): with it the 99th percentile of the hosts' errors was up to a quarter smaller. Shares
 * and scales of the prior are learned on the way (expectation maximisation).
 *
 * The logarithm of the evidence (T. Minka's thesis, MIT 2001) lets worlds and repeated attempts be
 * compared. In a trial, 200 sweeps of Gibbs's sampler came to within a tenth of its errors, at two to
 * nine times the cost.
 *
 * It cannot see: other peaks than the one it ends on; they are why its variance alone is too small.
 */
import { type BiasGraph, GaugeMean } from "./edge-bias-mean.ts";
import { BiasPrior, OUTLIERS } from "./edge-bias-prior.ts";

/** How far a site moves to where it should be. */
const DAMPING = 0.3;
/**
 * Every site is at least so precise against the prior's mean square as its responsibilities leave
 * it, and pulls to within so many of its roots: hosts with two or three edges would drift away.
 */
const WEAK = 0.1;
const REACH_SIGMAS = 2;
/** Temperature at the beginning, above 1. */
const HEAT = 10;
const LOG_2 = Math.log(2);
const LOG_2PI = Math.log(2 * Math.PI);

/** Edges with what is known of each. */
export interface BiasEdges extends BiasGraph {
  /** Variance of the apparent bias (ns squared). */
  readonly noiseNs2: Float64Array;
  /** Half of what the round trip is above the shortest (ns); NaN: not known. */
  readonly reachNs: Float64Array;
  reachMedianNs: number;
}

/** See the module head. It is made for one graph; apparent biases and noise may go on changing. */
export class BiasPosterior {
  readonly #edges: BiasEdges;
  readonly prior: BiasPrior;
  readonly mean: GaugeMean;
  /** The sites. */
  readonly precision: Float64Array;
  readonly information: Float64Array;
  /** What is expected of each bias, without the noise of its measurement (ns). */
  readonly biasNs: Float64Array;
  /** Logarithm of the evidence as of the last whole pass. */
  logEvidence = Number.NEGATIVE_INFINITY;
  /** What the last whole pass changed it by; the evidence of sites that still move means nothing. */
  evidenceChange = Number.POSITIVE_INFINITY;
  /** Whole passes done. */
  passes = 0;
  readonly #counts: Float64Array;
  readonly #share: Float64Array;
  #next = 0;
  #broadSquare = 0;
  #evidence = 0;
  #temperature = 1;

  /**
   * @param world its number, or the prior to go on with
   * @param broadNs2 first guess of the mean square of a bias (ns squared, above 0)
   */
  constructor(edges: BiasEdges, world: number | BiasPrior, broadNs2: number) {
    this.#edges = edges;
    this.prior = typeof world === "number" ? new BiasPrior(world, broadNs2) : world;
    this.mean = new GaugeMean(edges);
    const length = edges.from.length;
    this.precision = new Float64Array(length).fill(1 / broadNs2);
    this.information = new Float64Array(length);
    this.biasNs = new Float64Array(length);
    this.#counts = new Float64Array(this.prior.count);
    this.#share = new Float64Array(2 * this.prior.count);
  }

  /**
   * Goes on with the pass at hand for at most `budget` visits of an edge; returns what is left.
   *
   * @param coolness 0 at the beginning of an attempt, 1 when no edge's say is tempered any more
   */
  work(budget: number, coolness: number): number {
    const { edgeCount } = this.#edges;
    let left = budget;
    if (this.#next === 0) {
      this.#begin(coolness);
      left -= this.mean.cost;
    }
    while (left > 0 && this.#next < edgeCount) {
      this.#visit(this.#next++);
      left--;
    }
    if (this.#next >= edgeCount) this.#end();
    return left;
  }

  /** Gives an edge back to the prior: it is a new one, or its path has changed. */
  renew(e: number): void {
    // What it has measured so far may lie far beyond the prior: nothing else shall give way to it.
    const { apparentNs, reachNs } = this.#edges;
    this.precision[e] = 1 / (this.prior.meanSquareNs2(reachNs[e]) + apparentNs[e] ** 2);
    this.information[e] = 0;
    this.biasNs[e] = 0;
  }

  /**
   * Share of the variance of each host's gauge that comes from biases, by row; the rest is noise of
   * their measurement, which is counted where a round's offsets are.
   */
  biasShares(): Float64Array {
    const { hostCount, edgeCount, from, to, noiseNs2 } = this.#edges;
    const shares = new Float64Array(hostCount);
    const strengths = new Float64Array(hostCount);
    for (let e = 0; e < edgeCount; e++) {
      const w = this.precision[e];
      const own = w * Math.max(0, 1 - w * noiseNs2[e]);
      shares[from[e]] += own;
      shares[to[e]] += own;
      strengths[from[e]] += w;
      strengths[to[e]] += w;
    }
    return shares.map((sum, i) => (strengths[i] > 0 ? sum / strengths[i] : 1));
  }

  /** The same for another memory; `kept` has the slot here of each slot there. */
  moved(edges: BiasEdges, kept: readonly number[]): BiasPosterior {
    const out = new BiasPosterior(edges, this.prior, 1);
    out.passes = this.passes;
    out.logEvidence = this.logEvidence;
    for (let e = 0; e < out.precision.length; e++) {
      if (kept[e] === undefined) out.renew(e);
      else {
        out.precision[e] = this.precision[kept[e]];
        out.information[e] = this.information[kept[e]];
        out.biasNs[e] = this.biasNs[kept[e]];
      }
    }
    return out;
  }

  /** Begins the pass at hand anew: edges have come. */
  restart(): void {
    this.#next = 0;
  }

  #begin(coolness: number): void {
    this.mean.solve(this.precision, this.information);
    this.#temperature = 1 + HEAT * (1 - coolness) ** 2;
    this.#counts.fill(0);
    this.#broadSquare = 0;
    let rows = 0;
    for (let i = 0; i < this.#edges.hostCount; i++) rows += 1 - this.#edges.grounded[i];
    this.#evidence = (rows * LOG_2PI - this.mean.logDeterminant) / 2;
    this.prior.describe(0, this.#edges.reachMedianNs);
  }

  #end(): void {
    this.#next = 0;
    this.passes++;
    this.evidenceChange = Math.abs(this.#evidence - this.logEvidence);
    this.logEvidence = this.#evidence;
    if (this.passes > 2) this.prior.learn(this.#counts, this.#broadSquare);
  }

  #visit(e: number): void {
    const { from, to, apparentNs, noiseNs2, reachNs } = this.#edges;
    const { gaugeNs } = this.mean;
    const { count, share, centreNs, varianceNs2 } = this.prior;
    const noise = noiseNs2[e];
    const w = this.precision[e];
    const h = this.information[e];
    const seen = apparentNs[e] - (gaugeNs[to[e]] - gaugeNs[from[e]]);
    const across = this.mean.acrossNs2(e, w);
    // What the other edges say of this one's bias: precision, mean, variance.
    const knowledge = Math.max(1 / across - w, 1e-9 * w);
    const told = (seen / across - h) / knowledge;
    const unsure = 1 / knowledge;

    this.prior.describe(reachNs[e]);
    const z = this.#share;
    let nearest = Number.POSITIVE_INFINITY;
    for (let k = 0; k < count; k++) {
      const inverse = 1 / (varianceNs2[k] + noise + unsure);
      const centre = centreNs[k];
      z[2 * k] = ((told - centre) ** 2 * inverse) / this.#temperature;
      z[2 * k + 1] = ((told + centre) ** 2 * inverse) / this.#temperature;
      nearest = Math.min(nearest, z[2 * k], z[2 * k + 1]);
    }
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const scale = share[k] / Math.sqrt(varianceNs2[k] + noise + unsure);
      z[2 * k] = scale * Math.exp((nearest - z[2 * k]) / 2);
      z[2 * k + 1] = centreNs[k] === 0 ? z[2 * k] : scale * Math.exp((nearest - z[2 * k + 1]) / 2);
      sum += z[2 * k] + z[2 * k + 1];
    }
    let mean = 0;
    let square = 0;
    let bias = 0;
    let spread = 0;
    for (let k = 0; k < 2 * count; k++) {
      const c = (k & 1) === 0 ? centreNs[k >> 1] : -centreNs[k >> 1];
      const own = varianceNs2[k >> 1];
      const variance = 1 / (knowledge + 1 / (own + noise));
      const at = (told * knowledge + c / (own + noise)) * variance;
      const weight = z[k] / sum;
      spread += weight * (c * c + own + noise);
      mean += weight * at;
      square += weight * (variance + at * at);
      // Of what the site holds, the bias and the noise of its measurement, the bias's share.
      const gain = own / (own + noise);
      const biasAt = c + gain * (at - c);
      bias += weight * biasAt;
      this.#counts[k >> 1] += weight;
      if (k < 2) {
        this.#broadSquare += weight * (biasAt * biasAt + gain * gain * variance + own * (1 - gain));
      }
    }
    // What the sites' mean leaves of the edge, less the noise: then offsets and gauge agree.
    this.biasNs[e] = bias + seen - mean;
    const logMass = Math.log(sum) - nearest / 2 - LOG_2 - LOG_2PI / 2;
    const both = knowledge + w;
    this.#evidence +=
      logMass -
      0.5 * Math.log(knowledge / both) +
      0.5 * told * told * knowledge -
      (0.5 * (told * knowledge + h) ** 2) / both +
      h * seen -
      0.5 * w * seen * seen;

    const variance = Math.max(square - mean * mean, 1e-6);
    let precision = 1 / variance - knowledge;
    let information = mean / variance - told * knowledge;
    // A prior that makes the edge less certain than without it has no normal site: a weak one.
    const weak = WEAK / spread;
    if (precision < weak) {
      const outlying = this.prior.world === OUTLIERS;
      information = outlying ? 0 : mean * (knowledge + weak) - told * knowledge;
      precision = outlying ? 1 / spread : weak;
    }
    // No site pulls further than the prior reaches.
    const limit = REACH_SIGMAS * Math.sqrt(spread) * precision;
    information = Math.max(-limit, Math.min(limit, information));
    this.precision[e] += DAMPING * (precision - w);
    this.information[e] += DAMPING * (information - h);
  }
}
