/** A mesh as columns, and the edges of each host beside one another (compressed rows). */

/** An undirected graph as columns; edges are walked both ways. */
export interface Graph {
  readonly hostCount: number;
  readonly edgeCount: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Edges of each host: those of host h are the places `start[h]` up to `start[h + 1] - 1`. */
export interface Incidence {
  readonly start: Int32Array;
  readonly edge: Int32Array;
  /** The other end of the edge at the same place. */
  readonly other: Int32Array;
}

/** Brings edges into rows. An edge from a host to itself says nothing and is left out. */
export function incidenceOf(graph: Graph): Incidence {
  const { hostCount, edgeCount, from, to } = graph;
  const start = new Int32Array(hostCount + 1);
  for (let e = 0; e < edgeCount; e++) {
    if (from[e] === to[e]) continue;
    start[from[e] + 1]++;
    start[to[e] + 1]++;
  }
  for (let h = 0; h < hostCount; h++) start[h + 1] += start[h];
  const next = start.slice();
  const edge = new Int32Array(start[hostCount]);
  const other = new Int32Array(start[hostCount]);
  for (let e = 0; e < edgeCount; e++) {
    if (from[e] === to[e]) continue;
    const a = next[from[e]]++;
    const b = next[to[e]]++;
    edge[a] = e;
    other[a] = to[e];
    edge[b] = e;
    other[b] = from[e];
  }
  return { start, edge, other };
}
