/**
 * Solves the grounded, weighted Laplacian of a mesh: (B' W B) x = b with x = 0 at the grounded
 * hosts.
 *
 * Conjugate gradients (Hestenes and Stiefel, J. Res. NBS 49(6), 1952). Preconditioner: incomplete
 * elimination without fill, of which only the pivots differ from the matrix (D-ILU; Saad, "Iterative
 * Methods for Sparse Linear Systems", 2nd ed., section 10.3.2), hosts far from the grounded ones
 * first. On a tree that is complete elimination, on a ring nearly so; a mesh of random neighbours is
 * an expander and takes some ten steps at any size. With M = (P + L) P^-1 (P + U), L and U the
 * triangles of the matrix, and E = D - 2 P, a step needs one walk over each triangle (Eisenstat,
 * SIAM J. Sci. Stat. Comput. 2(1), 1981):
 *
 *     (P + L)^-1 A (P + U)^-1 p = t + (P + L)^-1 (p + E t),   t = (P + U)^-1 p.
 *
 * When to stop. For weights that are inverse variances the energy of an error, e'Ae, bounds every
 * host's: |e_j| <= sqrt(R_j) sqrt(e'Ae) by Cauchy and Schwarz, R_j being the variance of x_j. Each
 * step takes alpha rho off it, so the sum of the last terms tells how far off the solve was some
 * steps ago (Strakos and Tichy, ETNA 13, 2002). A tolerance therefore counts in sigmas of a host.
 */
import { type Graph, type Incidence, incidenceOf } from "./graph.ts";

/** No host is further from the exact solution than this many of its sigmas. */
const TOLERANCE_SIGMAS = 1e-6;
/** Steps per host after which rounding is all that is left to improve. */
const STEPS_PER_HOST = 4;
/** Energy that the last two steps took bounds what is left, unless steps become ever smaller. */
const STAGNATION = 1e-15;
/** A pivot below this share of its diagonal is rounding; the diagonal is taken instead. */
const PIVOT_SHARE_MIN = 1e-12;

/** Where the entries of the matrix stand: hosts far from the grounded ones have the first rows. */
export class LaplacianShape {
  readonly graph: Graph;
  readonly incidence: Incidence;
  /** Host of each row, and row of each host; -1: grounded. */
  readonly host: Int32Array;
  readonly row: Int32Array;
  /** Entries left (lower) and right (upper) of the diagonal: first place of a row, column, edge. */
  readonly lowerStart: Int32Array;
  readonly lowerColumn: Int32Array;
  readonly lowerEdge: Int32Array;
  readonly upperStart: Int32Array;
  readonly upperColumn: Int32Array;
  readonly upperEdge: Int32Array;

  /** @param free 1 where x is unknown, 0 where it is grounded. */
  constructor(graph: Graph, free: Float64Array, incidence: Incidence = incidenceOf(graph)) {
    this.graph = graph;
    this.incidence = incidence;
    this.host = farthestFirst(graph.hostCount, free, incidence);
    this.row = new Int32Array(graph.hostCount).fill(-1);
    this.host.forEach((host, row) => {
      this.row[host] = row;
    });
    const rowCount = this.host.length;
    this.lowerStart = new Int32Array(rowCount + 1);
    this.upperStart = new Int32Array(rowCount + 1);
    const entries = incidence.edge.length;
    const lower = [new Int32Array(entries), new Int32Array(entries)];
    const upper = [new Int32Array(entries), new Int32Array(entries)];
    for (let row = 0; row < rowCount; row++) {
      let low = this.lowerStart[row];
      let up = this.upperStart[row];
      const host = this.host[row];
      for (let i = incidence.start[host]; i < incidence.start[host + 1]; i++) {
        const column = this.row[incidence.other[i]];
        if (column < 0) continue;
        const [side, place] = column < row ? [lower, low++] : [upper, up++];
        side[0][place] = column;
        side[1][place] = incidence.edge[i];
      }
      this.lowerStart[row + 1] = low;
      this.upperStart[row + 1] = up;
    }
    [this.lowerColumn, this.lowerEdge] = lower.map((c) => c.slice(0, this.lowerStart[rowCount]));
    [this.upperColumn, this.upperEdge] = upper.map((c) => c.slice(0, this.upperStart[rowCount]));
  }
}

/** Free hosts, breadth first from the grounded ones, the last reached first. */
function farthestFirst(hostCount: number, free: Float64Array, incidence: Incidence): Int32Array {
  const { start, other } = incidence;
  const order = new Int32Array(hostCount);
  const seen = new Uint8Array(hostCount);
  let count = 0;
  const visit = (host: number) => {
    if (seen[host] === 1) return;
    seen[host] = 1;
    order[count++] = host;
  };
  for (let host = 0; host < hostCount; host++) if (free[host] === 0) visit(host);
  const groundedCount = count;
  // Hosts that nothing grounded reaches are walked to from the first of them.
  for (let at = 0, island = 0; at < hostCount; at++) {
    while (at === count) visit(island++);
    for (let i = start[order[at]]; i < start[order[at] + 1]; i++) visit(other[i]);
  }
  return order.slice(groundedCount).reverse();
}

/** A solver for one graph; weights may change between solves. */
export class LaplacianSolver {
  readonly shape: LaplacianShape;
  /** Weight of each edge, 0 for an edge that is left out. */
  readonly weights: Float64Array;
  /** Sum of the weights of each row's edges. */
  readonly #diagonal: Float64Array;
  readonly #pivot: Float64Array;
  readonly #inversePivot: Float64Array;
  /** E of the module head. */
  readonly #excess: Float64Array;
  /** Weights in the order of the entries, in single precision: half of what a walk must read. */
  readonly #lower: Float32Array;
  readonly #upper: Float32Array;
  readonly #residual: Float64Array;
  readonly #direction: Float64Array;
  readonly #below: Float64Array;
  readonly #image: Float64Array;
  readonly #change: Float64Array;
  /** Walks over the matrix since construction: what the solves have cost. */
  walkCount = 0;
  /** Largest change of the last solve, in units of what a host's own edges leave open. */
  largestChange = 0;

  /** @param free 1 where x is unknown, 0 where it is grounded; or a shape that knows it. */
  constructor(graph: Graph, free: Float64Array | LaplacianShape) {
    this.shape = free instanceof LaplacianShape ? free : new LaplacianShape(graph, free);
    const rowCount = this.shape.host.length;
    this.weights = new Float64Array(graph.edgeCount);
    this.#diagonal = new Float64Array(rowCount);
    this.#pivot = new Float64Array(rowCount);
    this.#inversePivot = new Float64Array(rowCount);
    this.#excess = new Float64Array(rowCount);
    this.#lower = new Float32Array(this.shape.lowerEdge.length);
    this.#upper = new Float32Array(this.shape.upperEdge.length);
    this.#residual = new Float64Array(rowCount);
    this.#direction = new Float64Array(rowCount);
    this.#below = new Float64Array(rowCount);
    this.#image = new Float64Array(rowCount);
    this.#change = new Float64Array(rowCount);
  }

  /** Improves `x`, its starting point, until the equations hold; returns the number of steps. */
  solve(right: Float64Array, x: Float64Array, toleranceSigmas = TOLERANCE_SIGMAS): number {
    const { hostCount, edgeCount, from, to } = this.shape.graph;
    const rest = new Float64Array(hostCount);
    rest.set(right.subarray(0, hostCount));
    for (let e = 0; e < edgeCount; e++) {
      const flow = this.weights[e] * (x[to[e]] - x[from[e]]);
      rest[to[e]] -= flow;
      rest[from[e]] += flow;
    }
    this.factor();
    return this.correct(rest, x, toleranceSigmas);
  }

  /**
   * Takes over the weights; call before `correct` when they have changed.
   *
   * They are rounded to single precision, the same at both ends of an edge and in the diagonal, so
   * that it is the Laplacian of weights that differ by 6e-8 of themselves. A caller who corrects
   * until nothing is left does not notice.
   *
   * @param strength sum of the weights at each host, when the caller has it: of weights that are
   *   rounded so already.
   */
  factor(strength?: Float64Array): void {
    const { graph, row, host, lowerStart, lowerColumn, lowerEdge, upperEdge } = this.shape;
    const { weights } = this;
    const diagonal = this.#diagonal;
    if (strength) for (let r = 0; r < host.length; r++) diagonal[r] = strength[host[r]];
    else {
      const { edgeCount, from, to } = graph;
      diagonal.fill(0);
      for (let e = 0; e < edgeCount; e++) {
        const a = row[from[e]];
        const b = row[to[e]];
        if (a === b) continue;
        const weight = Math.fround(weights[e]);
        if (a >= 0) diagonal[a] += weight;
        if (b >= 0) diagonal[b] += weight;
      }
    }
    const lower = this.#lower;
    const upper = this.#upper;
    for (let k = 0; k < lower.length; k++) lower[k] = weights[lowerEdge[k]];
    for (let k = 0; k < upper.length; k++) upper[k] = weights[upperEdge[k]];
    for (let r = 0; r < host.length; r++) {
      if (diagonal[r] === 0) diagonal[r] = 1;
      let pivot = diagonal[r];
      for (let k = lowerStart[r]; k < lowerStart[r + 1]; k++) {
        pivot -= lower[k] * lower[k] * this.#inversePivot[lowerColumn[k]];
      }
      if (!(pivot > PIVOT_SHARE_MIN * diagonal[r])) pivot = diagonal[r];
      this.#pivot[r] = pivot;
      this.#inversePivot[r] = 1 / pivot;
      this.#excess[r] = diagonal[r] - 2 * pivot;
    }
    this.walkCount++;
  }

  /**
   * Adds to `x` what solves the equations for `rest` on the right; returns the number of steps.
   *
   * @param share ends as well when about this share of the change is left (0 to 1, of its energy's
   *   root).
   */
  correct(rest: Float64Array, x: Float64Array, toleranceSigmas: number, share = 0): number {
    const { host } = this.shape;
    const rowCount = host.length;
    const [r, p, t, change] = [this.#residual, this.#direction, this.#below, this.#change];
    const pivot = this.#pivot;
    for (let i = 0; i < rowCount; i++) r[i] = rest[host[i]];
    this.#solveLower(r);
    let rho = 0;
    for (let i = 0; i < rowCount; i++) {
      p[i] = pivot[i] * r[i];
      rho += p[i] * r[i];
      change[i] = 0;
    }
    const stepLimit = STEPS_PER_HOST * rowCount + 20;
    const limit = toleranceSigmas * toleranceSigmas;
    let step = 0;
    for (let energy = 0, before = Number.POSITIVE_INFINITY; step < stepLimit && rho > 0; step++) {
      const alpha = rho / this.#applyTo(p);
      if (!(alpha > 0 && alpha < Number.POSITIVE_INFINITY)) break;
      const image = this.#image;
      let next = 0;
      for (let i = 0; i < rowCount; i++) {
        change[i] += alpha * t[i];
        const left = r[i] - alpha * image[i];
        r[i] = left;
        next += pivot[i] * left * left;
      }
      const term = alpha * rho;
      energy += term;
      if (term + before <= Math.max(limit, share * share * energy, STAGNATION * energy)) break;
      before = term;
      const beta = next / rho;
      rho = next;
      for (let i = 0; i < rowCount; i++) p[i] = pivot[i] * r[i] + beta * p[i];
    }
    this.#add(x);
    return step;
  }

  /** Sum of the weights at each host's edges, grounded hosts left as they are in `out`. */
  strengths(out: Float64Array): void {
    const { host } = this.shape;
    for (let i = 0; i < host.length; i++) out[host[i]] = this.#diagonal[i];
  }

  #add(x: Float64Array): void {
    const { host } = this.shape;
    let largest = 0;
    for (let i = 0; i < host.length; i++) {
      const change = this.#change[i];
      x[host[i]] += change;
      const square = change * change * this.#diagonal[i];
      if (square > largest) largest = square;
    }
    this.largestChange = Math.sqrt(largest);
  }

  /** v = (P + L)^-1 v. */
  #solveLower(v: Float64Array): void {
    const { lowerStart, lowerColumn } = this.shape;
    const lower = this.#lower;
    for (let i = 0; i < v.length; i++) {
      let sum = v[i];
      for (let k = lowerStart[i]; k < lowerStart[i + 1]; k++) sum += lower[k] * v[lowerColumn[k]];
      v[i] = sum * this.#inversePivot[i];
    }
    this.walkCount++;
  }

  /** Leaves the image of p in `#image` and t in `#below` (module head); returns p' image. */
  #applyTo(p: Float64Array): number {
    const { lowerStart, lowerColumn, upperStart, upperColumn } = this.shape;
    const [lower, upper, inverse, excess] = [
      this.#lower,
      this.#upper,
      this.#inversePivot,
      this.#excess,
    ];
    const t = this.#below;
    const image = this.#image;
    const rowCount = p.length;
    for (let i = rowCount - 1; i >= 0; i--) {
      let sum = p[i];
      for (let k = upperStart[i]; k < upperStart[i + 1]; k++) sum += upper[k] * t[upperColumn[k]];
      t[i] = sum * inverse[i];
    }
    for (let i = 0; i < rowCount; i++) {
      let sum = p[i] + excess[i] * t[i];
      for (let k = lowerStart[i]; k < lowerStart[i + 1]; k++) {
        sum += lower[k] * image[lowerColumn[k]];
      }
      image[i] = sum * inverse[i];
    }
    let curvature = 0;
    for (let i = 0; i < rowCount; i++) {
      image[i] += t[i];
      curvature += p[i] * image[i];
    }
    this.walkCount += 2;
    return curvature;
  }
}
