/** What goes into the network solve and what comes out of it. */
import type { Graph } from "./graph.ts";

/** What the edges of a graph measured, as columns. The unit is ns for offsets, ppb for frequencies. */
export interface EdgeColumns {
  /** x_to - x_from as measured (ns). */
  readonly offsetNs: Float64Array;
  readonly sigmaNs: Float64Array;
  /** 1: the edge takes no part (an expelled one); it has trust 0, but a residual. */
  readonly excluded?: Uint8Array;
}

/** A whole problem. */
export interface NetworkInput extends Graph, EdgeColumns {
  /** Host whose x is 0. */
  readonly reference: number;
}

/** How to solve. */
export interface NetworkOptions {
  /** Weigh down what does not fit (default); false: the paper's plain weighted least squares. */
  readonly robust?: boolean;
  /** What x is expected to be (ns); NaN: nobody knows. Saves steps, the result is the same. */
  readonly start?: Float64Array | undefined;
  /**
   * Where witnesses that can be relied on have x (ns); NaN: nobody knows. Robust weights then begin
   * there, and not at the plain solution: with many outliers that agree, it lies among these.
   */
  readonly witnessed?: Float64Array | undefined;
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
