/**
 * Solves the grounded, weighted Laplacian of a mesh: (B' W B) x = b with x = 0 at the grounded
 * hosts.
 *
 * Conjugate gradients with the diagonal as preconditioner (Hestenes and Stiefel, J. Res. NBS 49(6),
 * 1952; Saad, "Iterative Methods for Sparse Linear Systems", 2nd ed., algorithm 9.1). A mesh of
 * random neighbours is an expander, so some thirty steps do for a thousand hosts; a step costs one
 * walk over the edges. Nothing is allocated per solve.
 */
import type { Graph } from "./shortest-path.ts";

/**
 * Residual against the right side at which the solve ends, each host's in units of its weights, so
 * that a host which only doubtful edges hold is solved for as well as any.
 */
const TOLERANCE = 1e-9;
/** Steps per host after which rounding is all that is left to improve. */
const STEPS_PER_HOST = 4;

/** A solver for one graph; weights may change between solves. */
export class LaplacianSolver {
  readonly #graph: Graph;
  /** 1 where x is unknown, 0 where it is grounded or not connected. */
  readonly #free: Float64Array;
  readonly #diagonal: Float64Array;
  readonly #residual: Float64Array;
  readonly #direction: Float64Array;
  readonly #image: Float64Array;
  /** Weight of each edge, 0 for an edge that is left out. */
  readonly weights: Float64Array;

  constructor(graph: Graph, free: Float64Array) {
    const n = graph.hostCount;
    this.#graph = graph;
    this.#free = free;
    this.#diagonal = new Float64Array(n);
    this.#residual = new Float64Array(n);
    this.#direction = new Float64Array(n);
    this.#image = new Float64Array(n);
    this.weights = new Float64Array(graph.edgeCount);
  }

  /** Improves `x`, its starting point, until the equations hold; returns the number of steps. */
  solve(right: Float64Array, x: Float64Array, tolerance = TOLERANCE): number {
    const n = this.#graph.hostCount;
    const r = this.#residual;
    const p = this.#direction;
    const q = this.#image;
    this.#prepare();
    this.#apply(x, q);
    let rightSquare = 0;
    for (let i = 0; i < n; i++) {
      r[i] = this.#free[i] * (right[i] - q[i]);
      rightSquare += (this.#free[i] * right[i] * right[i]) / this.#diagonal[i];
      p[i] = r[i] / this.#diagonal[i];
    }
    let rho = this.#scaledSquare();
    const limit = tolerance * tolerance * rightSquare;
    const stepLimit = STEPS_PER_HOST * n + 20;
    for (let step = 0; step < stepLimit; step++) {
      if (rho <= limit) return step;
      this.#apply(p, q);
      const curvature = dot(p, q);
      if (!(curvature > 0)) return step;
      const alpha = rho / curvature;
      for (let i = 0; i < n; i++) {
        x[i] += alpha * p[i];
        r[i] -= alpha * q[i];
      }
      const next = this.#scaledSquare();
      const beta = next / rho;
      rho = next;
      for (let i = 0; i < n; i++) p[i] = r[i] / this.#diagonal[i] + beta * p[i];
    }
    return stepLimit;
  }

  #prepare(): void {
    const { edgeCount, from, to } = this.#graph;
    this.#diagonal.fill(0);
    for (let e = 0; e < edgeCount; e++) {
      this.#diagonal[from[e]] += this.weights[e];
      this.#diagonal[to[e]] += this.weights[e];
    }
    for (let i = 0; i < this.#diagonal.length; i++) {
      if (this.#free[i] === 0 || this.#diagonal[i] === 0) this.#diagonal[i] = 1;
    }
  }

  /** out = (B' W B) x, with grounded rows cleared. */
  #apply(x: Float64Array, out: Float64Array): void {
    const { edgeCount, from, to } = this.#graph;
    out.fill(0);
    for (let e = 0; e < edgeCount; e++) {
      const flow = this.weights[e] * (x[to[e]] - x[from[e]]);
      out[to[e]] += flow;
      out[from[e]] -= flow;
    }
    for (let i = 0; i < out.length; i++) out[i] *= this.#free[i];
  }

  #scaledSquare(): number {
    let sum = 0;
    const r = this.#residual;
    for (let i = 0; i < r.length; i++) sum += (r[i] * r[i]) / this.#diagonal[i];
    return sum;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
