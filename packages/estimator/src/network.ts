/**
 * The network effect: one offset per host from the offsets of all edges.
 *
 * Problem: edge offsets disagree; round every loop they leave a surplus, and some edges are biased
 * by asymmetric paths. Approach: weighted least squares on the graph,
 *
 *     min over x of sum w_e (offset_e - (x_to - x_from))^2,   x_reference = 0,
 *
 * which spreads every loop surplus evenly: the same as the paper's minimum-norm correction (Geng et
 * al., NSDI 2018, "network effect"), without finding loops. Edges that do not fit are
 * weighed down: Huber weights first, which start safely from the plain solution, then Tukey's,
 * which take an outlier out altogether (Huber, "Robust Statistics", 1981, chapter 7; Beaton and
 * Tukey, Technometrics 16(2), 1974). Residuals are measured in units of each edge's sigma times a
 * scale from their own median, so that sigmas which are all too small do not make outliers of
 * everybody.
 *
 * Each re-weighing solves for the change of x only, and both kinds of weights end when no host moves
 * any more. In a large mesh a change is solved for as far as that pays (inexact Newton steps: Dembo,
 * Eisenstat and Steihaug, SIAM J. Numer. Anal. 19(2), 1982). They begin from the plain solution even when the caller expects x to be
 * elsewhere: with a scale from the residuals, what they end at hangs on where they began, and a
 * round must not hang on the ones before. Only the plain solve begins from what is expected. Where
 * outliers are many, the caller may name a better place to begin at, of witnesses it relies on.
 *
 * Sigma of a host: the square root of (B'WB)^-1 at that host, the effective resistance between it
 * and the reference (`effective-resistance.ts`), with the weights that robustness left, times the
 * scale of the residuals.
 *
 * It cannot see: a host all of whose paths are asymmetric alike; no loop shows it.
 */
import { assert } from "@ttcs/units";
import { type Graph, type Incidence, incidenceOf } from "./graph.ts";
import { LaplacianShape, LaplacianSolver } from "./laplacian.ts";
import { MeshResistances } from "./mesh-resistances.ts";
import type {
  EdgeColumns,
  NetworkInput,
  NetworkOptions,
  NetworkSolution,
} from "./network-columns.ts";
import { medianOf, SIGMA_PER_MAD, selectKth } from "./quantile.ts";
import { RunningMedian } from "./running-median.ts";

export type { EdgeColumns, NetworkInput, NetworkOptions, NetworkSolution };

/** Tuning constants for 95 % efficiency under normal noise: Huber's k and Tukey's c. */
const HUBER_K = 1.345;
const TUKEY_C = 4.685;
const HUBER_ROUNDS = 6;
const TUKEY_ROUNDS = 8;
/** How well a mesh is solved. Sigmas are a host's own, or what its own edges alone leave open. */
interface Care {
  /** Huber's and Tukey's rounds end when no host moved by more (sigmas). */
  readonly huberSettled: number;
  readonly tukeySettled: number;
  /** A round's change is solved for until this share of it is left: the next moves on anyway. */
  readonly share: number;
  /** Root mean square error of the first solve, of a round's and of the last (sigmas). */
  readonly first: number;
  readonly change: number;
  readonly last: number;
}
/** Where it costs nothing, all rounds are solved out. */
const THOROUGH: Care = {
  huberSettled: 1e-6,
  tukeySettled: 1e-6,
  share: 1e-4,
  first: 1e-6,
  change: 1e-7,
  last: 1e-7,
};
/** In a large mesh no host is off by more than some hundredths of its sigma; few by a thousandth. */
const BRISK: Care = {
  huberSettled: 0.3,
  tukeySettled: 0.02,
  share: 0.05,
  first: 0.01,
  change: 1e-4,
  last: 1e-3,
};
/** Meshes up to this size are solved thoroughly. */
const THOROUGH_HOSTS = 256;
/**
 * Where outliers are many, residuals are measured by a lower quantile than the median: with 40 % of
 * them it lies at the middle of the others. Of normal ones it is 0.385 sigma.
 */
const LOW_QUANTILE = 0.3;
const SIGMA_PER_LOW_QUANTILE = 1 / 0.3853;
/** Weight share that an outlier keeps, so that a host with outliers only stays connected. */
const TRUST_MIN = 1e-6;
/** No edge counts as better than this share of the median sigma: sigmas are estimates too. */
const SIGMA_FLOOR_SHARE = 0.2;

/** Solves one round. */
export function solveNetwork(input: NetworkInput, options: NetworkOptions = {}): NetworkSolution {
  const solver = new NetworkSolver(input, input.reference);
  solver.solve(input, options);
  solver.resistances.refresh();
  return solver.told();
}

/** Solves round after round on one graph. Columns of solutions are good until the next solve. */
export class NetworkSolver {
  readonly graph: Graph;
  readonly #incidence: Incidence;
  readonly #reference: number;
  readonly #laplacian: LaplacianSolver;
  /** What sigmas hang on; to be sketched now and then in a large mesh. */
  readonly resistances: MeshResistances;
  readonly #connected: Uint8Array;
  readonly #queue: Int32Array;
  readonly #x: Float64Array;
  readonly #sigma: Float64Array;
  readonly #residual: Float64Array;
  readonly #edgeSigma: Float64Array;
  readonly #inverse: Float64Array;
  readonly #trust: Float64Array;
  readonly #sizes: Float64Array;
  /** The right side of the equations for a change of x. */
  readonly #right: Float64Array;
  /** Sum of the weights at each host. */
  readonly #strength: Float64Array;
  #scale = 1;
  #hasWitnesses = false;
  /** Median size of the residuals, in sigmas. */
  readonly #median: RunningMedian;
  readonly #care: Care;
  /** Solves of the equations since construction: what the rounds have cost, beside `walkCount`. */
  solveCount = 0;

  /**
   * @param incidence of the graph, when the caller has it.
   * @param like another solver of the same graph and reference, to share what hangs on them.
   */
  constructor(
    graph: Graph,
    reference: number,
    incidence: Incidence = incidenceOf(graph),
    like?: NetworkSolver,
  ) {
    const { hostCount, edgeCount } = graph;
    assert(reference >= 0 && reference < hostCount, "the reference is one of the hosts");
    for (let e = 0; e < edgeCount; e++) {
      assert(graph.from[e] >= 0 && graph.from[e] < hostCount, "an edge begins at a host");
      assert(graph.to[e] >= 0 && graph.to[e] < hostCount, "an edge ends at a host");
    }
    this.graph = graph;
    this.#care = hostCount <= THOROUGH_HOSTS ? THOROUGH : BRISK;
    this.#incidence = incidence;
    this.#reference = reference;
    const free = new Float64Array(hostCount).fill(1);
    free[reference] = 0;
    const shape = like ? like.#laplacian.shape : new LaplacianShape(graph, free, incidence);
    this.#laplacian = new LaplacianSolver(graph, shape);
    this.resistances = new MeshResistances(this.#laplacian, reference);
    this.#connected = new Uint8Array(hostCount);
    this.#queue = new Int32Array(hostCount);
    this.#x = new Float64Array(hostCount);
    this.#sigma = new Float64Array(hostCount);
    this.#right = new Float64Array(hostCount);
    this.#strength = new Float64Array(hostCount);
    this.#residual = new Float64Array(edgeCount);
    this.#edgeSigma = new Float64Array(edgeCount);
    this.#inverse = new Float64Array(edgeCount);
    this.#trust = new Float64Array(edgeCount);
    this.#sizes = new Float64Array(edgeCount);
    this.#median = new RunningMedian(edgeCount);
  }

  /** Of the last solve, as in its solution. */
  get trust(): Float64Array {
    return this.#trust;
  }
  get scale(): number {
    return this.#scale;
  }

  /** Walks over the mesh since construction. */
  get walkCount(): number {
    return this.#laplacian.walkCount;
  }

  /** Solves for x and the edges' trust. Sigmas come with `told`. */
  solve(edges: EdgeColumns, { robust = true, start, witnessed }: NetworkOptions = {}): void {
    const care = this.#care;
    this.#weighSigmas(edges);
    this.#reach();
    this.#begin(start);
    this.#scale = 1;
    if (!robust) {
      this.#reweigh(edges, "plain");
      this.#step(THOROUGH.last, 0);
      this.#scale = this.#plainScale(edges);
    } else {
      this.#reweigh(edges, "plain");
      this.#step(care.first, 0);
      this.#hasWitnesses = witnessed !== undefined;
      if (witnessed) this.#moveTo(witnessed);
      else this.#settle(edges, "huber", HUBER_ROUNDS, care.huberSettled);
      this.#settle(edges, "tukey", TUKEY_ROUNDS - 1, care.tukeySettled);
      // The last weights are solved for as well as it pays.
      this.#reweigh(edges, "tukey");
      this.#step(care.last, 0);
    }
    this.#setResiduals(edges);
  }

  /** The last solve's solution, with sigmas from the newest sketch and the weights of now. */
  told(): NetworkSolution {
    const { hostCount } = this.graph;
    const resistance = this.resistances.ofHosts(this.#connected);
    for (let i = 0; i < hostCount; i++) {
      const known = this.#connected[i] === 1;
      if (!known) this.#x[i] = Number.NaN;
      this.#sigma[i] = known ? Math.sqrt(resistance[i]) * this.#scale : Number.NaN;
    }
    return {
      xNs: this.#x,
      sigmaNs: this.#sigma,
      residualNs: this.#residual,
      edgeSigmaNs: this.#edgeSigma,
      trust: this.#trust,
      scale: this.#scale,
    };
  }

  /** Sigmas with their floor and their inverses; NaN and 0 for an edge that cannot be used. */
  #weighSigmas({ offsetNs, sigmaNs, excluded }: EdgeColumns): void {
    const { edgeCount, from, to } = this.graph;
    const sigma = this.#edgeSigma;
    const sound = this.#sizes;
    let count = 0;
    for (let e = 0; e < edgeCount; e++) {
      const own = sigmaNs[e];
      const usable = own > 0 && own < Number.POSITIVE_INFINITY && Number.isFinite(offsetNs[e]);
      const takesPart = excluded?.[e] !== 1 && from[e] !== to[e];
      sigma[e] = usable && takesPart ? own : Number.NaN;
      if (usable && takesPart) sound[count++] = own;
    }
    const floor = SIGMA_FLOOR_SHARE * medianOf(sound, count);
    for (let e = 0; e < edgeCount; e++) {
      sigma[e] = Math.max(sigma[e], floor);
      this.#inverse[e] = sigma[e] > 0 ? 1 / sigma[e] : 0;
    }
  }

  /** Which hosts usable edges connect to the reference, breadth first; sets the first trust. */
  #reach(): void {
    const { start, edge, other } = this.#incidence;
    const { from, edgeCount } = this.graph;
    const connected = this.#connected.fill(0);
    const queue = this.#queue;
    let count = 0;
    queue[count++] = this.#reference;
    connected[this.#reference] = 1;
    for (let at = 0; at < count; at++) {
      for (let i = start[queue[at]]; i < start[queue[at] + 1]; i++) {
        const next = other[i];
        if (connected[next] === 1 || this.#inverse[edge[i]] === 0) continue;
        connected[next] = 1;
        queue[count++] = next;
      }
    }
    for (let e = 0; e < edgeCount; e++) {
      // Islands are left out: with no x of their own, they would pass for outliers.
      this.#trust[e] = connected[from[e]] === 1 && this.#inverse[e] > 0 ? 1 : 0;
    }
  }

  /** Sets x to where the first solve begins. */
  #begin(start: Float64Array | undefined): void {
    for (let i = 0; i < this.#x.length; i++) {
      const expected = start ? start[i] : 0;
      this.#x[i] = i !== this.#reference && Number.isFinite(expected) ? expected : 0;
    }
  }

  /** Sets x to what is known from elsewhere, where it is. */
  #moveTo(witnessed: Float64Array): void {
    for (let i = 0; i < this.#x.length; i++) {
      if (i !== this.#reference && Number.isFinite(witnessed[i])) this.#x[i] = witnessed[i];
    }
  }

  /** Re-weighs and solves until nothing moves. */
  #settle(edges: EdgeColumns, kind: "huber" | "tukey", rounds: number, settled: number): void {
    for (let round = 0; round < rounds; round++) {
      this.#reweigh(edges, kind);
      this.#step(this.#care.change, this.#care.share);
      if (this.#laplacian.largestChange <= settled) return;
    }
  }

  /** Moves x to the least squares for the weights at hand. */
  #step(rmsSigmas: number, share: number): void {
    const toleranceSigmas = rmsSigmas * Math.sqrt(this.graph.hostCount);
    this.#laplacian.factor(this.#strength);
    this.#laplacian.correct(this.#right, this.#x, toleranceSigmas, share);
    this.solveCount++;
  }

  /** Sets each edge's trust by its residual, its weight, and the right side for a change of x. */
  #reweigh({ offsetNs }: EdgeColumns, kind: "plain" | "huber" | "tukey"): void {
    const { from, to, edgeCount } = this.graph;
    const [x, trust, inverse, residual] = [this.#x, this.#trust, this.#inverse, this.#residual];
    const { weights } = this.#laplacian;
    if (kind !== "plain") this.#scale = this.#residualScale(offsetNs);
    const huberLimit = HUBER_K * this.#scale;
    const tukeyLimit = TUKEY_C * this.#scale;
    const right = this.#right.fill(0);
    const strength = this.#strength.fill(0);
    for (let e = 0; e < edgeCount; e++) {
      if (trust[e] === 0) {
        weights[e] = 0;
        continue;
      }
      const a = from[e];
      const b = to[e];
      const own = inverse[e];
      const rest = kind === "plain" ? offsetNs[e] - (x[b] - x[a]) : residual[e];
      const size = Math.abs(rest) * own;
      if (kind === "huber") trust[e] = size <= huberLimit ? 1 : huberLimit / size;
      else if (kind === "tukey") {
        const share = size / tukeyLimit;
        trust[e] = share < 1 ? (1 - share * share) ** 2 : 0;
      }
      if (trust[e] < TRUST_MIN) trust[e] = TRUST_MIN;
      // In single precision, as the equations are kept.
      const weight = Math.fround(trust[e] * own * own);
      const flow = weight * rest;
      weights[e] = weight;
      strength[a] += weight;
      strength[b] += weight;
      right[b] += flow;
      right[a] -= flow;
    }
  }

  /** Sets the residuals of edges that take part; returns their scale, at least 1. */
  #residualScale(offsetNs: Float64Array): number {
    const { from, to, edgeCount } = this.graph;
    const [x, trust, inverse, residual] = [this.#x, this.#trust, this.#inverse, this.#residual];
    const median = this.#median;
    const sizes = this.#sizes;
    let count = 0;
    median.begin();
    for (let e = 0; e < edgeCount; e++) {
      if (trust[e] === 0) continue;
      const rest = offsetNs[e] - (x[to[e]] - x[from[e]]);
      residual[e] = rest;
      const size = Math.abs(rest) * inverse[e];
      if (this.#hasWitnesses) sizes[count++] = size;
      else median.add(size);
    }
    if (this.#hasWitnesses) {
      return Math.max(
        1,
        SIGMA_PER_LOW_QUANTILE * selectKth(sizes, count, Math.floor(LOW_QUANTILE * count)),
      );
    }
    return Math.max(1, SIGMA_PER_MAD * median.end());
  }

  /** Root of chi-squared over its degrees of freedom, at least 1: nothing was weighed down. */
  #plainScale({ offsetNs }: EdgeColumns): number {
    const { from, to, edgeCount } = this.graph;
    let sum = 0;
    let freedom = 1;
    for (const connected of this.#connected) freedom -= connected;
    for (let e = 0; e < edgeCount; e++) {
      if (this.#trust[e] === 0) continue;
      sum += ((offsetNs[e] - (this.#x[to[e]] - this.#x[from[e]])) * this.#inverse[e]) ** 2;
      freedom++;
    }
    return freedom > 0 ? Math.max(1, Math.sqrt(sum / freedom)) : 1;
  }

  #setResiduals({ offsetNs }: EdgeColumns): void {
    const { from, to, edgeCount } = this.graph;
    for (let e = 0; e < edgeCount; e++) {
      const known = this.#connected[from[e]] === 1 && this.#connected[to[e]] === 1;
      this.#residual[e] = known ? offsetNs[e] - (this.#x[to[e]] - this.#x[from[e]]) : Number.NaN;
    }
  }
}
