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
 * Sigma of a host: the square root of (B'WB)^-1 at that host, the effective resistance between it
 * and the reference (`effective-resistance.ts`), with the weights that robustness left, times the
 * scale of the residuals.
 *
 * It cannot see: a host all of whose paths are asymmetric alike; no loop shows it.
 */
import { assert } from "@ttcs/units";
import { EXACT_HOSTS, exactResistances, sketchedResistances } from "./effective-resistance.ts";
import { LaplacianSolver } from "./laplacian.ts";
import { medianOf, SIGMA_PER_MAD } from "./quantile.ts";
import { type Graph, shortestPaths } from "./shortest-path.ts";

/** Edges as columns. The unit is ns for offsets; ppb when frequencies are solved for. */
export interface NetworkInput extends Graph {
  /** x_to - x_from as measured (ns). */
  readonly offsetNs: Float64Array;
  readonly sigmaNs: Float64Array;
  /** Host whose x is 0. */
  readonly reference: number;
  /** 1: the edge takes no part (an expelled one); it has trust 0, but a residual. */
  readonly excluded?: Uint8Array;
}

/** How to solve. */
export interface NetworkOptions {
  /** Weigh down what does not fit (default); false: the paper's plain weighted least squares. */
  readonly robust?: boolean;
}

/** What the edges agree on. */
export interface NetworkSolution {
  /** Each host against the reference (ns, positive: ahead); NaN: no path to the reference. */
  readonly xNs: Float64Array;
  /** Standard uncertainty of x (ns); NaN: no path. */
  readonly sigmaNs: Float64Array;
  /** offset - (x_to - x_from) of each edge (ns); NaN: an end without x, or no offset. */
  readonly residualNs: Float64Array;
  /** Sigma by which each edge was weighed: its own, but not below the floor (ns); NaN: not usable. */
  readonly edgeSigmaNs: Float64Array;
  /** What robustness left of each edge's weight, 0 to 1; 0 for an edge that was not used. */
  readonly trust: Float64Array;
  /** What residuals are in units of their edges' sigmas: typical size, at least 1. */
  readonly scale: number;
}

/** Tuning constants for 95 % efficiency under normal noise: Huber's k and Tukey's c. */
const HUBER_K = 1.345;
const TUKEY_C = 4.685;
const HUBER_ROUNDS = 6;
const TUKEY_ROUNDS = 8;
/** Weight share that an outlier keeps, so that a host with outliers only stays connected. */
const TRUST_MIN = 1e-6;
/** No edge counts as better than this share of the median sigma: sigmas are estimates too. */
const SIGMA_FLOOR_SHARE = 0.2;

/** Solves one round. */
export function solveNetwork(input: NetworkInput, options: NetworkOptions = {}): NetworkSolution {
  const { hostCount, edgeCount, reference } = input;
  assert(reference >= 0 && reference < hostCount, "the reference is one of the hosts");
  const variance = variances(input);
  const reached = shortestPaths(input, variance, reference);
  const free = new Float64Array(hostCount);
  for (const host of reached.order) if (host !== reference) free[host] = 1;

  const solver = new LaplacianSolver(input, free);
  const x = new Float64Array(hostCount);
  const trust = new Float64Array(edgeCount);
  for (let e = 0; e < edgeCount; e++) {
    // Islands are left out: with no x of their own, they would pass for outliers.
    const connected = reached.length[input.from[e]] < Number.POSITIVE_INFINITY;
    trust[e] = connected && variance[e] > 0 ? 1 : 0;
  }
  solveWith(input, variance, trust, solver, x);
  const scale =
    options.robust === false
      ? plainScale(input, variance, trust, x, reached.order.length)
      : solveRobustly(input, variance, trust, solver, x);
  const resistance =
    hostCount > EXACT_HOSTS
      ? sketchedResistances(input, solver, free, reference)
      : exactResistances(solver, free);
  const sigmaNs = new Float64Array(hostCount);
  for (let i = 0; i < hostCount; i++) {
    const connected = free[i] === 1 || i === reference;
    if (!connected) x[i] = Number.NaN;
    sigmaNs[i] = connected ? Math.sqrt(resistance[i]) * scale : Number.NaN;
  }
  const residualNs = new Float64Array(edgeCount);
  for (let e = 0; e < edgeCount; e++) residualNs[e] = residual(input, x, e);
  const edgeSigmaNs = variance.map(Math.sqrt);
  return { xNs: x, sigmaNs, residualNs, edgeSigmaNs, trust, scale };
}

/** Huber's rounds, then Tukey's, from the plain solution at hand; returns the residuals' scale. */
function solveRobustly(
  input: NetworkInput,
  variance: Float64Array,
  trust: Float64Array,
  solver: LaplacianSolver,
  x: Float64Array,
): number {
  let scale = 1;
  for (let round = 0; round < HUBER_ROUNDS + TUKEY_ROUNDS; round++) {
    scale = reweigh(input, variance, x, round < HUBER_ROUNDS, trust);
    solveWith(input, variance, trust, solver, x);
  }
  return scale;
}

/** Root of chi-squared over its degrees of freedom, at least 1: nothing was weighed down. */
function plainScale(
  input: NetworkInput,
  variance: Float64Array,
  trust: Float64Array,
  x: Float64Array,
  reachedCount: number,
): number {
  let sum = 0;
  let freedom = 1 - reachedCount;
  for (let e = 0; e < input.edgeCount; e++) {
    if (trust[e] === 0) continue;
    sum += residual(input, x, e) ** 2 / variance[e];
    freedom++;
  }
  return freedom > 0 ? Math.max(1, Math.sqrt(sum / freedom)) : 1;
}

/** Squared sigmas with their floor; NaN for an edge that cannot be used. */
function variances(input: NetworkInput): Float64Array {
  const { hostCount, edgeCount, from, to, sigmaNs, offsetNs } = input;
  const out = new Float64Array(edgeCount);
  const sound = new Float64Array(edgeCount);
  let count = 0;
  for (let e = 0; e < edgeCount; e++) {
    assert(from[e] >= 0 && from[e] < hostCount, "an edge begins at a host");
    assert(to[e] >= 0 && to[e] < hostCount, "an edge ends at a host");
    const usable = sigmaNs[e] > 0 && Number.isFinite(sigmaNs[e]) && Number.isFinite(offsetNs[e]);
    const takesPart = input.excluded?.[e] !== 1 && from[e] !== to[e];
    out[e] = usable && takesPart ? sigmaNs[e] : Number.NaN;
    if (!Number.isNaN(out[e])) sound[count++] = out[e];
  }
  const floor = SIGMA_FLOOR_SHARE * medianOf(sound, count);
  for (let e = 0; e < edgeCount; e++) {
    const sigma = Math.max(out[e], floor);
    out[e] = sigma * sigma;
  }
  return out;
}

const residual = (input: NetworkInput, x: Float64Array, e: number): number =>
  input.offsetNs[e] - (x[input.to[e]] - x[input.from[e]]);

/** One weighted least-squares solve, from the x at hand. */
function solveWith(
  input: NetworkInput,
  variance: Float64Array,
  trust: Float64Array,
  solver: LaplacianSolver,
  x: Float64Array,
): void {
  const right = new Float64Array(input.hostCount);
  for (let e = 0; e < input.edgeCount; e++) {
    const weight = trust[e] > 0 ? trust[e] / variance[e] : 0;
    solver.weights[e] = weight;
    if (weight === 0) continue;
    right[input.to[e]] += weight * input.offsetNs[e];
    right[input.from[e]] -= weight * input.offsetNs[e];
  }
  solver.solve(right, x);
}

/** Sets each edge's trust by its residual; returns the scale of the residuals, at least 1. */
function reweigh(
  input: NetworkInput,
  variance: Float64Array,
  x: Float64Array,
  huber: boolean,
  trust: Float64Array,
): number {
  const sizes = new Float64Array(input.edgeCount);
  let count = 0;
  for (let e = 0; e < input.edgeCount; e++) {
    if (trust[e] === 0) continue;
    sizes[count++] = Math.abs(residual(input, x, e)) / Math.sqrt(variance[e]);
  }
  const scale = Math.max(1, SIGMA_PER_MAD * medianOf(sizes, count));
  for (let e = 0; e < input.edgeCount; e++) {
    if (trust[e] === 0) continue;
    const size = Math.abs(residual(input, x, e)) / (scale * Math.sqrt(variance[e]));
    const share = size / TUKEY_C;
    const tukey = share < 1 ? (1 - share * share) ** 2 : 0;
    trust[e] = Math.max(TRUST_MIN, huber ? Math.min(1, HUBER_K / size) : tukey);
  }
  return scale;
}
