/**
 * Uncertainty of every host of a mesh: its effective resistance to the reference, R, the variance of
 * x_host - x_reference in weighted least squares.
 *
 * Up to 64 hosts exact (`dense-resistance.ts`). Above, a sketch (Spielman and Srivastava, "Graph
 * sparsification by effective resistances", SIAM J. Comput. 40(6), 2011, section 4): for random signs
 * q on the edges and L z = B' W^1/2 q, E (z_j - z_r)^2 = R. The mean over k vectors is off by
 * sqrt(2 / k), a quarter for 32.
 *
 * Most of R is known without chance. With b = B' W^1/2 q and d the sum of a host's weights, let
 * c = b_j / d_j - b_r / d_r, what the noise of the two hosts' own edges moves. From cov(b) = L and
 * cov(L+ b, b) = projection follow var c = 1/d_j + 1/d_r + 2 w_jr / (d_j d_r) and
 * cov(z_j - z_r, c) = 1/d_j + 1/d_r, hence
 *
 *     R = 1/d_j + 1/d_r - 2 w_jr / (d_j d_r) + E (z_j - z_r - c)^2.
 *
 * Only the last term is left to the sketch: what the neighbours do not know. It is some 5 % of R in
 * a mesh of ten neighbours and nearly all of it in a chain. So that sigma is not understated it is
 * taken times 1.75: 32 signs make it too small by more in one case of forty (2.5 % quantile of
 * chi-squared with 32 degrees of freedom, 18.3). What stands before it is a lower bound of R. The
 * best single path is an upper one, because more paths only lower a resistance (Rayleigh's
 * monotonicity law; Doyle and Snell, "Random Walks and Electric Networks", 1984).
 *
 * The sketch is 32 solves, the rest some walks over the edges. A caller in a hurry sketches now and
 * then and takes the terms known without chance from the weights of the moment. What was sketched is
 * then multiplied by how much its leading terms have grown, but never made smaller: the host's own or
 * the median of all hosts', whichever has grown more. The leading terms are those of the series
 * L^-1 = D^-1 + D^-1 A D^-1 + ... (D the diagonal, A the weights) that lead to a neighbour and back,
 * o_j = 1/d_j + sum over k of w_jk^2 o_k / d_j^2, up to two hops.
 */
import { mix32 } from "@ttcs/units";
import { denseResistances } from "./dense-resistance.ts";
import type { Graph } from "./graph.ts";
import { LaplacianSolver } from "./laplacian.ts";
import { PathFinder } from "./shortest-path.ts";

/** Up to this many hosts every resistance is solved for exactly. */
export const EXACT_HOSTS = 64;
/** Vectors of signs. */
const SKETCHES = 32;
/** See the module head. */
const SKETCH_MARGIN = 1.75;
/** A solve of the sketch is off by this at the most, in sigmas: far below the sketch's own error. */
const SKETCH_TOLERANCE_SIGMAS = 1e-2;
/** Of a unit column, whose energy is about a host's resistance (sigmas of that host). */
const COLUMN_TOLERANCE = 1e-6;
/** Hops round a host from which its leading terms come. */
const LEAD_HOPS = 2;
/** Any seed: the same mesh gives the same sigma every round. */
const SIGN_SEED = 0x52656666;

/** Exact resistances. `solver` holds the weights; 0 where `free` is 0. */
export function exactResistances(solver: LaplacianSolver, free: Float64Array): Float64Array {
  const hostCount = free.length;
  if (hostCount <= EXACT_HOSTS) return denseResistances(solver);
  const out = new Float64Array(hostCount);
  const unit = new Float64Array(hostCount);
  const column = new Float64Array(hostCount);
  const strength = new Float64Array(hostCount).fill(1);
  solver.factor();
  solver.strengths(strength);
  for (let i = 0; i < hostCount; i++) {
    if (free[i] === 0) continue;
    unit.fill(0);
    unit[i] = 1;
    column.fill(0);
    solver.correct(unit, column, COLUMN_TOLERANCE / Math.sqrt(strength[i]));
    out[i] = Math.max(0, column[i]);
  }
  return out;
}

/** Resistances by a sketch of this moment: seldom below the exact ones, never outside what is certain. */
export function sketchedResistances(
  graph: Graph,
  solver: LaplacianSolver,
  free: Float64Array,
  reference: number,
): Float64Array {
  const sketch = new ResistanceSketch(solver, reference);
  sketch.advance(SKETCHES);
  const near = new NearResistance(graph, reference);
  near.weigh(solver.weights);
  const out = new Float64Array(graph.hostCount);
  for (let i = 0; i < out.length; i++) if (free[i] === 1) out[i] = near.with(i, sketch.far, i);
  return out;
}

/** What a sketch leaves for later: the last term, by host of the sketch. */
export interface FarResistance {
  /** Mean of (z_j - z_r - c)^2 with its margin; NaN: not known. */
  readonly rest: Float64Array;
  /** The leading term at that time. */
  readonly lead: Float64Array;
}

/** The terms that are known without chance, for the weights of the moment. */
export class NearResistance {
  readonly #graph: Graph;
  readonly #reference: number;
  /** Sum of the weights at each host, and its edge to the reference. */
  readonly strength: Float64Array;
  readonly #toReference: Float64Array;
  readonly lead: Float64Array;
  readonly #open: Float64Array;

  constructor(graph: Graph, reference: number) {
    this.#graph = graph;
    this.#reference = reference;
    this.strength = new Float64Array(graph.hostCount);
    this.#toReference = new Float64Array(graph.hostCount);
    this.lead = new Float64Array(graph.hostCount);
    this.#open = new Float64Array(graph.hostCount);
  }

  weigh(weights: Float64Array): void {
    const { edgeCount, from, to, hostCount } = this.#graph;
    const reference = this.#reference;
    const strength = this.strength.fill(0);
    const toReference = this.#toReference.fill(0);
    const lead = this.lead.fill(0);
    for (let e = 0; e < edgeCount; e++) {
      const [a, b, weight] = [from[e], to[e], weights[e]];
      if (a === b) continue;
      strength[a] += weight;
      strength[b] += weight;
      if (a === reference) toReference[b] += weight;
      if (b === reference) toReference[a] += weight;
    }
    // What a host's own edges leave open, then what its neighbours' leave open as well, and so on.
    const open = this.#open;
    for (let i = 0; i < hostCount; i++) open[i] = 1 / strength[i];
    for (let hop = 0; hop < LEAD_HOPS; hop++) {
      lead.fill(0);
      for (let e = 0; e < edgeCount; e++) {
        const square = weights[e] * weights[e];
        if (!(square > 0)) continue;
        lead[from[e]] += square * open[to[e]];
        lead[to[e]] += square * open[from[e]];
      }
      for (let i = 0; i < hostCount; i++) {
        lead[i] /= strength[i] * strength[i];
        open[i] = 1 / strength[i] + lead[i];
      }
    }
    const own = lead[reference];
    for (let i = 0; i < hostCount; i++) lead[i] += own;
  }

  /** 1/d_j + 1/d_r - 2 w_jr / (d_j d_r): a lower bound of the resistance. */
  certain(host: number): number {
    const own = this.strength[this.#reference];
    const mine = this.strength[host];
    return 1 / mine + 1 / own - (2 * this.#toReference[host]) / (mine * own);
  }

  /** By how much the leading term of a host has grown since a sketch; NaN: it knows nothing. */
  grown(host: number, far: FarResistance, place: number): number {
    return this.lead[host] / far.lead[place];
  }

  /**
   * The resistance of a host with what was sketched for it as host `place`; NaN: not known.
   *
   * @param meshGrown by how much the leading terms of hosts have grown as a rule: what lies further
   *   away than the neighbours has as well.
   */
  with(host: number, far: FarResistance, place: number, meshGrown = 1): number {
    const grown = Math.max(1, meshGrown, this.grown(host, far, place));
    return this.certain(host) + far.rest[place] * grown;
  }
}

/** Sketches the last term for one set of weights, a few vectors at a time. */
export class ResistanceSketch {
  readonly #solver: LaplacianSolver;
  readonly #reference: number;
  readonly #near: NearResistance;
  readonly #right: Float64Array;
  readonly #z: Float64Array;
  readonly #roots: Float64Array;
  #done = 0;
  /** What was found; of use once `advance` has returned true. */
  readonly far: FarResistance;

  /** Takes the weights of `solver` as they are now. */
  constructor(solver: LaplacianSolver, reference: number) {
    const { graph } = solver.shape;
    this.#reference = reference;
    this.#solver = new LaplacianSolver(graph, solver.shape);
    this.#solver.weights.set(solver.weights);
    this.#solver.factor();
    this.#near = new NearResistance(graph, reference);
    this.#near.weigh(solver.weights);
    this.#right = new Float64Array(graph.hostCount);
    this.#z = new Float64Array(graph.hostCount);
    this.#roots = solver.weights.map(Math.sqrt);
    this.far = { rest: new Float64Array(graph.hostCount), lead: this.#near.lead };
  }

  /** Adds `count` vectors of signs; true once all are in. */
  advance(count: number): boolean {
    for (let i = 0; i < count && this.#done < SKETCHES; i++) {
      this.#addVector(this.#done++);
      if (this.#done === SKETCHES) this.#finish();
    }
    return this.#done === SKETCHES;
  }

  #addVector(k: number): void {
    const { graph, row } = this.#solver.shape;
    const { hostCount, edgeCount, from, to } = graph;
    const { strength } = this.#near;
    const right = this.#right.fill(0);
    for (let e = 0; e < edgeCount; e++) {
      // A word of 32 signs per edge, one for each sketch.
      const sign = ((mix32(SIGN_SEED, e) >>> k) & 1) === 0 ? -1 : 1;
      const current = sign * this.#roots[e];
      right[to[e]] += current;
      right[from[e]] -= current;
    }
    this.#z.fill(0);
    this.#solver.correct(right, this.#z, SKETCH_TOLERANCE_SIGMAS);
    const ownNoise = right[this.#reference] / strength[this.#reference];
    for (let i = 0; i < hostCount; i++) {
      if (row[i] < 0) continue;
      const rest = this.#z[i] - right[i] / strength[i] + ownNoise;
      this.far.rest[i] += (rest * rest) / SKETCHES;
    }
  }

  /** Adds the margin, as far as the best single path allows. */
  #finish(): void {
    const { graph, incidence } = this.#solver.shape;
    const lengths = this.#solver.weights.map((w) => (w > 0 ? 1 / w : Number.NaN));
    const path = new PathFinder(graph, incidence).find(lengths, this.#reference).length;
    const { rest } = this.far;
    for (let i = 0; i < rest.length; i++) {
      const most = Math.max(0, path[i] - this.#near.certain(i));
      rest[i] = path[i] < Number.POSITIVE_INFINITY ? Math.min(most, SKETCH_MARGIN * rest[i]) : NaN;
    }
  }
}
