/**
 * Uncertainty of every host of a mesh: its effective resistance to the reference, R, the variance of
 * x_host - x_reference in weighted least squares.
 *
 * Up to 64 hosts exact, one solve per host. Above, a sketch (Spielman and Srivastava, "Graph
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
 */
import { mix32 } from "@ttcs/units";
import type { LaplacianSolver } from "./laplacian.ts";
import { type Graph, shortestPaths } from "./shortest-path.ts";

/** Up to this many hosts every resistance is solved for exactly. */
export const EXACT_HOSTS = 64;
/** Vectors of signs. */
const SKETCHES = 32;
/** See the module head. */
const SKETCH_MARGIN = 1.75;
/** Relative error of a sketch's solve: far below the sketch's own. */
const SKETCH_TOLERANCE = 1e-3;
/** Any seed: the same mesh gives the same sigma every round. */
const SIGN_SEED = 0x52656666;

/** Resistances by one solve per host. `solver` holds the weights; 0 where `free` is 0. */
export function exactResistances(solver: LaplacianSolver, free: Float64Array): Float64Array {
  const hostCount = free.length;
  const out = new Float64Array(hostCount);
  const unit = new Float64Array(hostCount);
  const column = new Float64Array(hostCount);
  for (let i = 0; i < hostCount; i++) {
    if (free[i] === 0) continue;
    unit.fill(0);
    unit[i] = 1;
    column.fill(0);
    solver.solve(unit, column);
    out[i] = Math.max(0, column[i]);
  }
  return out;
}

/** Resistances by sketch: seldom below the exact ones, and never outside what is certain. */
export function sketchedResistances(
  graph: Graph,
  solver: LaplacianSolver,
  free: Float64Array,
  reference: number,
): Float64Array {
  const { hostCount, edgeCount, from, to } = graph;
  const { weights } = solver;
  const strength = new Float64Array(hostCount);
  const toReference = new Float64Array(hostCount);
  const resistance = new Float64Array(edgeCount);
  for (let e = 0; e < edgeCount; e++) {
    resistance[e] = weights[e] > 0 ? 1 / weights[e] : Number.NaN;
    if (from[e] === to[e]) continue;
    strength[from[e]] += weights[e];
    strength[to[e]] += weights[e];
    if (from[e] === reference) toReference[to[e]] += weights[e];
    if (to[e] === reference) toReference[from[e]] += weights[e];
  }
  const rest = sketchRest(graph, solver, free, reference, strength);
  const path = shortestPaths(graph, resistance, reference).length;
  const out = new Float64Array(hostCount);
  const own = strength[reference];
  for (let i = 0; i < hostCount; i++) {
    if (free[i] === 0) continue;
    const certain = 1 / strength[i] + 1 / own - (2 * toReference[i]) / (strength[i] * own);
    out[i] = Math.min(path[i], certain + SKETCH_MARGIN * rest[i]);
  }
  return out;
}

/** Mean over the sketches of (z_j - z_r - c)^2. */
function sketchRest(
  graph: Graph,
  solver: LaplacianSolver,
  free: Float64Array,
  reference: number,
  strength: Float64Array,
): Float64Array {
  const { hostCount, edgeCount, from, to } = graph;
  const { weights } = solver;
  const out = new Float64Array(hostCount);
  const right = new Float64Array(hostCount);
  const z = new Float64Array(hostCount);
  for (let k = 0; k < SKETCHES; k++) {
    right.fill(0);
    for (let e = 0; e < edgeCount; e++) {
      // A word of 32 signs per edge, one for each sketch.
      const sign = ((mix32(SIGN_SEED, e) >>> k) & 1) === 0 ? -1 : 1;
      const current = sign * Math.sqrt(weights[e]);
      right[to[e]] += current;
      right[from[e]] -= current;
    }
    // Each host's own edges alone: where the solve begins.
    for (let i = 0; i < hostCount; i++) z[i] = free[i] === 1 ? right[i] / strength[i] : 0;
    solver.solve(right, z, SKETCH_TOLERANCE);
    const ownNoise = right[reference] / strength[reference];
    for (let i = 0; i < hostCount; i++) {
      if (free[i] === 0) continue;
      const rest = z[i] - right[i] / strength[i] + ownNoise;
      out[i] += (rest * rest) / SKETCHES;
    }
  }
  return out;
}
