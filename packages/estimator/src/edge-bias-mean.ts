/**
 * Mean and spread of the hosts' gauge, given a normal site on every edge's bias.
 *
 * With apparent biases m (what is left of an edge's offset beyond the mesh's), true biases b and
 * m = B d + b, sites of precision w and information h on b make d normal, with precision B'WB and
 * mean (B'WB)^-1 B' (W m - h). B'WB is a Laplacian, grounded at one host of each island.
 *
 * Up to 64 hosts it is inverted (Cholesky). Above, the mean comes from conjugate gradients with the
 * diagonal as preconditioner (Hestenes and Stiefel, J. Res. NBS 49(6), 1952), started from the mean
 * at hand, and what other edges know of an edge from its ends' neighbours, 1/D_i + 1/D_j without
 * the edge itself, taken times 1.1: in a mesh of ten random neighbours the rest is some 5 to 10 %. The
 * determinant is then that of the diagonal with the second order of the walk sum (D. Malioutov et
 * al., J. Machine Learning Research 7, 2006): log det (D - A) = sum log D - tr (D^-1 A)^2 / 2 - ...
 */

/** Up to this many hosts everything is exact. */
const DENSE_HOSTS = 64;
/** What neighbours' neighbours add to an edge's variance from outside, as a factor. */
const BEYOND_NEIGHBOURS = 1.1;
const TOLERANCE = 1e-4;
const STEPS_MAX = 60;

/** Edges between remembered hosts; the columns may be longer than the counts. */
export interface BiasGraph {
  hostCount: number;
  edgeCount: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** 1: this host's gauge is 0; one of each island. */
  readonly grounded: Uint8Array;
  /** Apparent biases (ns). */
  readonly apparentNs: Float64Array;
}

/** See the module head. One for each posterior: it keeps its mean. */
export class GaugeMean {
  readonly #graph: BiasGraph;
  /** Gauge of each host (ns). */
  readonly gaugeNs: Float64Array;
  /** Sum of the precisions at each host. */
  readonly #strength: Float64Array;
  readonly #right: Float64Array;
  readonly #scratch: readonly Float64Array[];
  /** Row of each host in the matrix; -1: grounded. */
  readonly #row: Int32Array;
  /** Inverse of the matrix while there are few hosts. */
  #inverse = new Float64Array(0);
  #factor = new Float64Array(0);
  #rows = 0;
  /** Logarithm of the determinant of B'WB. */
  logDeterminant = 0;

  constructor(graph: BiasGraph) {
    const n = graph.grounded.length;
    this.#graph = graph;
    this.gaugeNs = new Float64Array(n);
    this.#strength = new Float64Array(n);
    this.#right = new Float64Array(n);
    this.#scratch = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
    this.#row = new Int32Array(n);
  }

  get #isDense(): boolean {
    return this.#graph.hostCount <= DENSE_HOSTS;
  }

  /** What a solve costs, in visits of an edge. */
  get cost(): number {
    const { hostCount, edgeCount } = this.#graph;
    return this.#isDense ? hostCount ** 3 / 100 : edgeCount / 4;
  }

  /** Brings the mean up to date with the sites. */
  solve(precision: Float64Array, information: Float64Array): void {
    const { hostCount, edgeCount, from, to, apparentNs, grounded } = this.#graph;
    this.#rows = 0;
    for (let i = 0; i < hostCount; i++) {
      this.#row[i] = grounded[i] === 1 ? -1 : this.#rows++;
      this.#right[i] = 0;
      this.#strength[i] = 0;
    }
    for (let e = 0; e < edgeCount; e++) {
      const pull = precision[e] * apparentNs[e] - information[e];
      this.#right[to[e]] += pull;
      this.#right[from[e]] -= pull;
      this.#strength[to[e]] += precision[e];
      this.#strength[from[e]] += precision[e];
    }
    if (this.#isDense) this.#solveDense(precision);
    else this.#solveSparse(precision);
  }

  /** Variance of the gauge across an edge (ns squared). */
  acrossNs2(e: number, precision: number): number {
    const { from, to } = this.#graph;
    if (!this.#isDense) {
      const outside =
        BEYOND_NEIGHBOURS *
        (1 / Math.max(1e-30, this.#strength[from[e]] - precision) +
          1 / Math.max(1e-30, this.#strength[to[e]] - precision));
      return 1 / (1 / outside + precision);
    }
    return this.betweenNs2(from[e], to[e]);
  }

  /** Variance of one host's gauge against another's (ns squared). */
  betweenNs2(a: number, b: number): number {
    if (a === b) return 0;
    if (!this.#isDense) {
      return BEYOND_NEIGHBOURS * (1 / this.#strength[a] + 1 / this.#strength[b]);
    }
    const [i, j, n] = [this.#row[a], this.#row[b], this.#rows];
    const own = (i < 0 ? 0 : this.#inverse[i * n + i]) + (j < 0 ? 0 : this.#inverse[j * n + j]);
    return Math.max(0, own - (i < 0 || j < 0 ? 0 : 2 * this.#inverse[i * n + j]));
  }

  #solveDense(precision: Float64Array): void {
    const { hostCount, edgeCount, from, to } = this.#graph;
    const n = this.#rows;
    if (this.#inverse.length !== n * n) {
      this.#inverse = new Float64Array(n * n);
      this.#factor = new Float64Array(n * n);
    }
    const factor = this.#factor.fill(0);
    for (let e = 0; e < edgeCount; e++) {
      const [i, j] = [this.#row[from[e]], this.#row[to[e]]];
      if (i >= 0) factor[i * n + i] += precision[e];
      if (j >= 0) factor[j * n + j] += precision[e];
      // Below the diagonal alone.
      if (i >= 0 && j >= 0) factor[Math.max(i, j) * n + Math.min(i, j)] -= precision[e];
    }
    this.logDeterminant = invertInPlace(factor, this.#inverse, n);
    for (let a = 0; a < hostCount; a++) {
      const i = this.#row[a];
      let sum = 0;
      for (let b = 0; b < hostCount && i >= 0; b++) {
        const j = this.#row[b];
        if (j >= 0) sum += this.#inverse[i * n + j] * this.#right[b];
      }
      this.gaugeNs[a] = sum;
    }
  }

  #solveSparse(precision: Float64Array): void {
    const { hostCount: n, edgeCount, from, to, grounded } = this.#graph;
    const strength = this.#strength;
    const x = this.gaugeNs;
    const [r, p, q] = this.#scratch;
    this.logDeterminant = 0;
    for (let i = 0; i < n; i++) {
      if (grounded[i] === 1) x[i] = 0;
      else this.logDeterminant += Math.log(strength[i]);
    }
    for (let e = 0; e < edgeCount; e++) {
      if (grounded[from[e]] === 1 || grounded[to[e]] === 1) continue;
      this.logDeterminant -= precision[e] ** 2 / (strength[from[e]] * strength[to[e]]);
    }
    this.#apply(precision, x, q);
    let rho = 0;
    let whole = 0;
    for (let i = 0; i < n; i++) {
      r[i] = grounded[i] === 1 ? 0 : this.#right[i] - q[i];
      p[i] = r[i] / strength[i];
      rho += r[i] * p[i];
      whole += grounded[i] === 1 ? 0 : this.#right[i] ** 2 / strength[i];
    }
    for (let step = 0; step < STEPS_MAX && rho > TOLERANCE ** 2 * whole; step++) {
      this.#apply(precision, p, q);
      let curvature = 0;
      for (let i = 0; i < n; i++) curvature += p[i] * q[i];
      if (!(curvature > 0)) return;
      const alpha = rho / curvature;
      let next = 0;
      for (let i = 0; i < n; i++) {
        x[i] += alpha * p[i];
        r[i] -= alpha * q[i];
        next += (r[i] * r[i]) / strength[i];
      }
      const beta = next / rho;
      rho = next;
      for (let i = 0; i < n; i++) p[i] = r[i] / strength[i] + beta * p[i];
    }
  }

  /** out = (B'WB) x with grounded rows cleared. */
  #apply(precision: Float64Array, x: Float64Array, out: Float64Array): void {
    const { hostCount, edgeCount, from, to, grounded } = this.#graph;
    for (let i = 0; i < hostCount; i++) out[i] = 0;
    for (let e = 0; e < edgeCount; e++) {
      const flow = precision[e] * (x[to[e]] - x[from[e]]);
      out[to[e]] += flow;
      out[from[e]] -= flow;
    }
    for (let i = 0; i < hostCount; i++) if (grounded[i] === 1) out[i] = 0;
  }
}

/**
 * Inverse of a symmetric positive matrix by Cholesky's factors (Golub and Van Loan, "Matrix
 * Computations", 4th ed., section 4.2.5); `matrix` has its lower triangle and becomes the inverse
 * factor. Returns the logarithm of the determinant.
 */
function invertInPlace(matrix: Float64Array, inverse: Float64Array, n: number): number {
  let logDeterminant = 0;
  for (let j = 0; j < n; j++) {
    let pivot = matrix[j * n + j];
    for (let k = 0; k < j; k++) pivot -= matrix[j * n + k] ** 2;
    const root = Math.sqrt(Math.max(pivot, 1e-30));
    matrix[j * n + j] = root;
    logDeterminant += 2 * Math.log(root);
    for (let i = j + 1; i < n; i++) {
      let sum = matrix[i * n + j];
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k] * matrix[j * n + k];
      matrix[i * n + j] = sum / root;
    }
  }
  // The inverse of the factor, column by column, in its place.
  for (let j = 0; j < n; j++) {
    matrix[j * n + j] = 1 / matrix[j * n + j];
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= matrix[i * n + k] * matrix[k * n + j];
      matrix[i * n + j] = sum / matrix[i * n + i];
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += matrix[k * n + i] * matrix[k * n + j];
      inverse[i * n + j] = sum;
      inverse[j * n + i] = sum;
    }
  }
  return logDeterminant;
}
