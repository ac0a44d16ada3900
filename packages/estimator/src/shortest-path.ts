/**
 * Shortest paths from one host over the edges of the mesh.
 *
 * Dijkstra's algorithm ("A note on two problems in connexion with graphs", 1959) with a binary heap
 * of hosts on typed columns in which a host is moved up when a shorter path is found (Cormen et al.,
 * "Introduction to Algorithms", 3rd ed., section 24.3). O(m log n), once a round.
 */
import { type Graph, type Incidence, incidenceOf } from "./graph.ts";

/** A tree of shortest paths; its columns are the finder's, good until its next search. */
export interface PathTree {
  /** Length of the path to each host; Infinity: no path. */
  readonly length: Float64Array;
  /** Last edge of the path to each host; -1 at the root and where there is no path. */
  readonly lastEdge: Int32Array;
  /** Hosts that were reached, in order of their length; the root first. */
  readonly order: Int32Array;
}

/** Finds paths on one graph again and again, for other lengths and roots. */
export class PathFinder {
  readonly #incidence: Incidence;
  readonly #length: Float64Array;
  readonly #lastEdge: Int32Array;
  readonly #order: Int32Array;
  /** Hosts, the nearest on top, and the place of each in it; -1: not in it. */
  readonly #heap: Int32Array;
  readonly #place: Int32Array;
  #count = 0;
  /** Exchanges of two hosts in the heap since construction: what the searches have cost. */
  moveCount = 0;

  constructor(graph: Graph, incidence: Incidence = incidenceOf(graph)) {
    const { hostCount } = graph;
    this.#incidence = incidence;
    this.#length = new Float64Array(hostCount);
    this.#lastEdge = new Int32Array(hostCount);
    this.#order = new Int32Array(hostCount);
    this.#heap = new Int32Array(hostCount);
    this.#place = new Int32Array(hostCount);
  }

  /**
   * Shortest paths from `root`; the result is overwritten by the next search. Edges whose length is
   * not a number from 0 up do not exist.
   */
  find(lengths: Float64Array, root: number): PathTree {
    const { start, edge, other } = this.#incidence;
    const length = this.#length.fill(Number.POSITIVE_INFINITY);
    const lastEdge = this.#lastEdge.fill(-1);
    this.#place.fill(-1);
    let reachedCount = 0;
    length[root] = 0;
    this.#count = 0;
    this.#rise(root, this.#count++);
    while (this.#count > 0) {
      const host = this.#pop();
      this.#order[reachedCount++] = host;
      const hereLength = length[host];
      for (let i = start[host]; i < start[host + 1]; i++) {
        const next = other[i];
        const stepLength = lengths[edge[i]];
        const reached = hereLength + stepLength;
        // False for NaN, so that an edge without a length is not walked.
        if (!(stepLength >= 0 && reached < length[next])) continue;
        length[next] = reached;
        lastEdge[next] = edge[i];
        this.#rise(next, this.#place[next] < 0 ? this.#count++ : this.#place[next]);
      }
    }
    return { length, lastEdge, order: this.#order.subarray(0, reachedCount) };
  }

  /** Moves `host` up from `place` to where it belongs. */
  #rise(host: number, place: number): void {
    const heap = this.#heap;
    const length = this.#length;
    const mine = length[host];
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (length[above] <= mine) break;
      heap[at] = above;
      this.#place[above] = at;
      at = parent;
      this.moveCount++;
    }
    heap[at] = host;
    this.#place[host] = at;
  }

  /** Takes the nearest host; the last one sinks from the top. */
  #pop(): number {
    const heap = this.#heap;
    const length = this.#length;
    const top = heap[0];
    const host = heap[--this.#count];
    const mine = length[host];
    const count = this.#count;
    let at = 0;
    for (let child = 1; child < count; child = 2 * at + 1) {
      if (child + 1 < count && length[heap[child + 1]] < length[heap[child]]) child++;
      const below = heap[child];
      if (length[below] >= mine) break;
      heap[at] = below;
      this.#place[below] = at;
      at = child;
      this.moveCount++;
    }
    heap[at] = host;
    this.#place[host] = at;
    return top;
  }
}
