/**
 * Edges before the court: which take no part in a round, and what their hosts are told of them.
 *
 * Offsets alone are judged. An edge whose two directions differ is off by half the difference for
 * good, which robustness has to find out anew each round; the court remembers (`EdgeCourt`).
 */
import {
  allowedExclusions,
  type EdgeCourt,
  incidenceOf,
  type NetworkSolution,
} from "@ttcs/estimator";
import type { EdgeVerdict } from "@ttcs/protocol";
import type { Alignment, MeshRows } from "./alignment.ts";
import type { HostVerdict } from "./host-verdicts.ts";

/** One edge as the host at one of its ends is told of it; see the message for signs and units. */
export type EdgeView = Readonly<EdgeVerdict>;

/** No case before the court is as bad as an impossible edge. */
const IMPOSSIBLE_SEVERITY = Number.MAX_VALUE;

/**
 * What takes no part in a round: impossible edges in any case, expelled ones as far as that tears
 * nothing.
 *
 * @param places where the court keeps the edges' cases.
 */
export function excludedEdges(
  aligned: Alignment,
  { excluded: impossible }: HostVerdict,
  court: EdgeCourt | undefined,
  places: Int32Array | undefined,
): Uint8Array {
  const { from, to, edgeCount } = aligned;
  const wished = impossible?.slice() ?? new Uint8Array(edgeCount);
  if (!court || !places || court.expelledCount === 0) return wished;
  const severity = new Float64Array(edgeCount);
  let count = 0;
  for (let e = 0; e < edgeCount; e++) {
    if (wished[e] === 1) severity[e] = IMPOSSIBLE_SEVERITY;
    if (wished[e] === 1 || !court.isExpelled(places[e])) continue;
    wished[e] = 1;
    severity[e] = court.standingAt(places[e]).severity;
    count++;
  }
  if (count === 0) return wished;
  const graph = { hostCount: aligned.hosts.length, edgeCount, from, to };
  const granted = allowedExclusions(graph, wished, severity);
  if (impossible) for (let e = 0; e < edgeCount; e++) granted[e] |= impossible[e];
  return granted;
}

/** Tells the court how every edge has done. */
export function judgeEdges(
  aligned: Alignment,
  solved: NetworkSolution,
  court: EdgeCourt,
  places: Int32Array,
): void {
  const { hosts, from, to, edgeCount } = aligned;
  const { residualNs, edgeSigmaNs, sigmaNs, trust, scale } = solved;
  for (let e = 0; e < edgeCount; e++) {
    // An edge changes hands: the residual is told in one direction, whoever owns it.
    const upward = hosts[from[e]] < hosts[to[e]];
    // An edge that takes no part is held against what the mesh knows, not better than that.
    const own = edgeSigmaNs[e] * scale;
    let variance = own * own;
    if (trust[e] === 0) variance += sigmaNs[from[e]] ** 2 + sigmaNs[to[e]] ** 2;
    const residual = upward ? residualNs[e] : -residualNs[e];
    court.judgeAt(places[e], trust[e], residual, Math.sqrt(variance));
  }
}

const NO_EDGES = { edgeCount: 0, from: new Int32Array(0), to: new Int32Array(0) };
const NO_MESH: MeshRows = {
  reference: 0,
  hosts: [],
  rowOf: new Map(),
  graph: { hostCount: 0, ...NO_EDGES },
  incidence: incidenceOf({ hostCount: 0, ...NO_EDGES }),
  fitOf: new Int32Array(0),
  treeEdge: new Int32Array(0),
};
const NOTHING = new Float64Array(0);
const NOT_SOLVED: NetworkSolution = {
  xNs: NOTHING,
  sigmaNs: NOTHING,
  residualNs: NOTHING,
  edgeSigmaNs: NOTHING,
  trust: NOTHING,
  scale: 1,
};

/**
 * What each host is told of its edges: made when asked for, from the columns of the solution.
 *
 * Ten objects for each host of a large domain every half second are more than all the rest of a
 * round; those who are told need them one host at a time.
 */
export class EdgeViews {
  readonly #mesh: MeshRows;
  readonly #solved: NetworkSolution;
  readonly #excluded: Uint8Array;
  readonly #court: EdgeCourt | undefined;
  readonly #places: Int32Array | undefined;
  readonly #verdict: HostVerdict | undefined;

  constructor(
    mesh: MeshRows,
    solved: NetworkSolution,
    excluded: Uint8Array,
    court: EdgeCourt | undefined,
    places: Int32Array | undefined,
    verdict?: HostVerdict,
  ) {
    this.#mesh = mesh;
    this.#solved = solved;
    this.#excluded = excluded;
    this.#court = court;
    this.#places = places;
    this.#verdict = verdict;
  }

  /** Of a round that was not solved. */
  static none(): EdgeViews {
    return new EdgeViews(NO_MESH, NOT_SOLVED, new Uint8Array(0), undefined, undefined);
  }

  /** The edges of a host by its number; undefined: the round did not reach it. */
  get(number: number): EdgeView[] | undefined {
    const row = this.#mesh.rowOf.get(number);
    return row === undefined ? undefined : this.#viewsOf(row);
  }

  /** All hosts' numbers with their edges. */
  *[Symbol.iterator](): Generator<[number, EdgeView[]]> {
    for (const [number, row] of this.#mesh.rowOf) yield [number, this.#viewsOf(row)];
  }

  #viewsOf(row: number): EdgeView[] {
    const { hosts, graph, incidence } = this.#mesh;
    const { residualNs, edgeSigmaNs, trust } = this.#solved;
    const views: EdgeView[] = [];
    for (let i = incidence.start[row]; i < incidence.start[row + 1]; i++) {
      const e = incidence.edge[i];
      views.push({
        $typeName: "clocksync.EdgeVerdict",
        hostNumber: hosts[incidence.other[i]],
        residualNs: graph.from[e] === row ? residualNs[e] : -residualNs[e],
        sigmaNs: edgeSigmaNs[e],
        weight: trust[e],
        expelled: this.#reasonOf(e),
      });
    }
    return views;
  }

  #reasonOf(edge: number): string {
    if (this.#excluded[edge] === 0) return "";
    const { excluded, out } = this.#verdict ?? {};
    if (excluded?.[edge] === 1) {
      const { hosts, graph } = this.#mesh;
      const [a, b] = [hosts[graph.from[edge]], hosts[graph.to[edge]]];
      return out?.has(a) || out?.has(b)
        ? "one of its ends is left out"
        : "contradicts the mesh beyond its own bound";
    }
    if (!this.#court || !this.#places) return "";
    return this.#court.standingAt(this.#places[edge]).reason;
  }
}
