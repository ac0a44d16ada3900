/**
 * The guaranteed interval of every host against the reference.
 *
 * Each edge says of x_to - x_from that it lies in [offset - below, offset + above]. Along a path
 * the intervals add up; of all paths the one with the smallest total width is taken (Marzullo and
 * Owicki, "Maintaining the time in a distributed system", PODC 1983: an interval of intervals that
 * are right is right). The truth is inside as long as every edge of that one path is right.
 *
 * Paths are not intersected: one wrong edge anywhere would then be enough to exclude the truth.
 */
import { assert } from "@ttcs/units";
import type { Graph } from "./graph.ts";
import { PathFinder } from "./shortest-path.ts";

/** Fits as columns; x is each host's clock against the reference's. */
export interface BoundInput extends Graph {
  /** x_to - x_from by the edge's own fit (ns). */
  readonly offsetNs: Float64Array;
  /** The truth lies in [offset - below, offset + above] (ns, neither negative). */
  readonly belowBoundNs: Float64Array;
  readonly aboveBoundNs: Float64Array;
  /** Host whose x is 0. */
  readonly reference: number;
}

/** Intervals by host; NaN where no path leads. */
export interface PathBounds {
  readonly lowNs: Float64Array;
  readonly highNs: Float64Array;
}

/**
 * Intervals of all hosts. Edges with a bound that is no number from 0 up are not used.
 *
 * @param paths a finder of the same graph, when the caller has one.
 */
export function pathBounds(input: BoundInput, paths = new PathFinder(input)): PathBounds {
  const { hostCount, edgeCount, from, to, offsetNs, reference } = input;
  assert(reference >= 0 && reference < hostCount, "the reference is one of the hosts");
  const widthNs = new Float64Array(edgeCount);
  for (let e = 0; e < edgeCount; e++) {
    const sound = input.belowBoundNs[e] >= 0 && input.aboveBoundNs[e] >= 0;
    const usable = sound && Number.isFinite(offsetNs[e]);
    widthNs[e] = usable ? input.belowBoundNs[e] + input.aboveBoundNs[e] : Number.NaN;
  }
  const tree = paths.find(widthNs, reference);
  const lowNs = new Float64Array(hostCount).fill(Number.NaN);
  const highNs = new Float64Array(hostCount).fill(Number.NaN);
  lowNs[reference] = 0;
  highNs[reference] = 0;
  for (const host of tree.order) {
    const e = tree.lastEdge[host];
    if (e < 0) continue;
    const below = input.belowBoundNs[e];
    const above = input.aboveBoundNs[e];
    if (to[e] === host) {
      lowNs[host] = lowNs[from[e]] + offsetNs[e] - below;
      highNs[host] = highNs[from[e]] + offsetNs[e] + above;
    } else {
      lowNs[host] = lowNs[to[e]] - offsetNs[e] - above;
      highNs[host] = highNs[to[e]] - offsetNs[e] + below;
    }
  }
  return { lowNs, highNs };
}

/**
 * Widens the intervals of both ends of every edge that excludes what was solved for, so that they hold
 * what this edge says, too: one of its ends has another clock than it is taken to have, and which one
 * nobody can tell. With one honest edge a host's interval then holds the truth.
 *
 * @param xNs what was solved for; NaN: nothing.
 */
export function widenWhereExcluded(input: BoundInput, xNs: Float64Array, bounds: PathBounds): void {
  const { from, to, offsetNs, belowBoundNs, aboveBoundNs, edgeCount, reference } = input;
  const { lowNs, highNs } = bounds;
  for (let e = 0; e < edgeCount; e++) {
    const [a, b] = [from[e], to[e]];
    // What is no number excludes nothing.
    if (!(belowBoundNs[e] >= 0 && aboveBoundNs[e] >= 0)) continue;
    const restNs = offsetNs[e] - (xNs[b] - xNs[a]);
    if (!(restNs > belowBoundNs[e] || restNs < -aboveBoundNs[e])) continue;
    if (b !== reference) {
      lowNs[b] = Math.min(lowNs[b], xNs[a] + offsetNs[e] - belowBoundNs[e]);
      highNs[b] = Math.max(highNs[b], xNs[a] + offsetNs[e] + aboveBoundNs[e]);
    }
    if (a !== reference) {
      lowNs[a] = Math.min(lowNs[a], xNs[b] - offsetNs[e] - aboveBoundNs[e]);
      highNs[a] = Math.max(highNs[a], xNs[b] - offsetNs[e] + belowBoundNs[e]);
    }
  }
}

/** How far the truth can be from a published x (ns), when it lies in [low, high]. */
export function boundAround(xNs: number, lowNs: number, highNs: number): number {
  return Math.max(highNs - xNs, xNs - lowNs);
}
