/**
 * Effective resistances of a small mesh, exactly: the diagonal of the inverse of its Laplacian.
 *
 * Cholesky's factor A = G G' and its inverse: (A^-1)_ii = sum over k of (G^-1)_ki^2 (Golub and Van
 * Loan, "Matrix Computations", 4th ed., section 4.2). A third of n^3 multiplications for both.
 */
import type { LaplacianSolver } from "./laplacian.ts";

/** Resistance of each host to the grounded ones; 0 where grounded. `solver` holds the weights. */
export function denseResistances(solver: LaplacianSolver): Float64Array {
  const { graph, row, host } = solver.shape;
  const n = host.length;
  const a = new Float64Array(n * n);
  for (let e = 0; e < graph.edgeCount; e++) {
    const weight = solver.weights[e];
    const i = row[graph.from[e]];
    const j = row[graph.to[e]];
    if (i === j) continue;
    if (i >= 0) a[i * n + i] += weight;
    if (j >= 0) a[j * n + j] += weight;
    if (i >= 0 && j >= 0) a[Math.max(i, j) * n + Math.min(i, j)] -= weight;
  }
  factorise(a, n);
  invert(a, n);
  const out = new Float64Array(graph.hostCount);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let k = i; k < n; k++) sum += a[k * n + i] * a[k * n + i];
    out[host[i]] = sum;
  }
  return out;
}

/** Leaves G in the lower triangle. A pivot that is no number above 0 is one: nothing holds it. */
function factorise(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i === j) a[i * n + i] = sum > 0 ? Math.sqrt(sum) : 1;
      else a[i * n + j] = sum / a[j * n + j];
    }
  }
}

/** Leaves G^-1 where G was. */
function invert(g: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    g[j * n + j] = 1 / g[j * n + j];
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= g[i * n + k] * g[k * n + j];
      g[i * n + j] = sum / g[i * n + i];
    }
  }
}
