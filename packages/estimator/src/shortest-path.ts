/**
 * Shortest paths from one host over the edges of the mesh.
 *
 * Dijkstra's algorithm ("A note on two problems in connexion with graphs", 1959) with a binary heap
 * that may hold a host more than once: stale entries are skipped. O(m log m), once a round.
 */

/** An undirected graph as columns; edges are walked both ways. */
export interface Graph {
  readonly hostCount: number;
  readonly edgeCount: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Edges of each host: those of host h are `edge[start[h]]` up to `edge[start[h + 1] - 1]`. */
interface Incidence {
  readonly start: Int32Array;
  readonly edge: Int32Array;
}

/** A tree of shortest paths. */
export interface PathTree {
  /** Length of the path to each host; Infinity: no path. */
  readonly length: Float64Array;
  /** Last edge of the path to each host; -1 at the root and where there is no path. */
  readonly lastEdge: Int32Array;
  /** Hosts that were reached, in order of their length; the root first. */
  readonly order: readonly number[];
}

/** Shortest paths from `root`. Edges whose length is not a number from 0 up do not exist. */
export function shortestPaths(graph: Graph, lengths: Float64Array, root: number): PathTree {
  const { start, edge } = incidenceOf(graph);
  const length = new Float64Array(graph.hostCount).fill(Number.POSITIVE_INFINITY);
  const lastEdge = new Int32Array(graph.hostCount).fill(-1);
  const settled = new Uint8Array(graph.hostCount);
  const order: number[] = [];
  const heap = new Heap();
  length[root] = 0;
  heap.push(0, root);
  for (let host = heap.pop(); host !== undefined; host = heap.pop()) {
    if (settled[host] === 1) continue;
    settled[host] = 1;
    order.push(host);
    for (let i = start[host]; i < start[host + 1]; i++) {
      const e = edge[i];
      const next = graph.from[e] === host ? graph.to[e] : graph.from[e];
      const reached = length[host] + lengths[e];
      // False for NaN, so that an edge without a length is not walked.
      if (!(lengths[e] >= 0 && reached < length[next])) continue;
      length[next] = reached;
      lastEdge[next] = e;
      heap.push(reached, next);
    }
  }
  return { length, lastEdge, order };
}

function incidenceOf(graph: Graph): Incidence {
  const start = new Int32Array(graph.hostCount + 1);
  for (let e = 0; e < graph.edgeCount; e++) {
    start[graph.from[e] + 1]++;
    start[graph.to[e] + 1]++;
  }
  for (let h = 0; h < graph.hostCount; h++) start[h + 1] += start[h];
  const fill = start.slice();
  const edge = new Int32Array(2 * graph.edgeCount);
  for (let e = 0; e < graph.edgeCount; e++) {
    edge[fill[graph.from[e]]++] = e;
    edge[fill[graph.to[e]]++] = e;
  }
  return { start, edge };
}

/** A binary heap of hosts, the smallest key on top. */
class Heap {
  readonly #keys: number[] = [];
  readonly #hosts: number[] = [];

  push(key: number, host: number): void {
    const keys = this.#keys;
    const hosts = this.#hosts;
    let at = keys.length;
    keys.push(key);
    hosts.push(host);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent] <= key) break;
      keys[at] = keys[parent];
      hosts[at] = hosts[parent];
      at = parent;
    }
    keys[at] = key;
    hosts[at] = host;
  }

  pop(): number | undefined {
    const keys = this.#keys;
    const hosts = this.#hosts;
    const top = hosts[0];
    const key = keys.pop();
    const host = hosts.pop();
    if (key === undefined || host === undefined) return undefined;
    const count = keys.length;
    if (count === 0) return host;
    let at = 0;
    for (let child = 1; child < count; child = 2 * at + 1) {
      if (child + 1 < count && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= key) break;
      keys[at] = keys[child];
      hosts[at] = hosts[child];
      at = child;
    }
    keys[at] = key;
    hosts[at] = host;
    return top;
  }
}
