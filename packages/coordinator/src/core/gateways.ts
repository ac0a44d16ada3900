/**
 * Deals gateway edges: the few that tie two regions to each other.
 *
 * Between two regions there are up to six edges, each between hosts of its own on both sides, so that
 * a host that lies or dies takes one of them with it. The best hosts of both sides serve (local
 * reference and standbys first); an edge that was dealt stays as long as both of its ends do, because
 * what it knows of a long path's delays is minutes old. Up to four regions, every pair is tied; above,
 * each to the first region and to the next one round a ring, so that losing either way cuts nobody off.
 */
import { type Edge, pairKey } from "./mesh.ts";

/** Edges between two regions, where both have as many hosts. */
export const GATEWAYS_EACH = 6;
/** Up to so many regions, every pair is tied. */
const ALL_PAIRS_UP_TO = 4;

/**
 * Deals the gateway edges.
 *
 * @param regions host numbers of each region, best first; the region that leads comes first
 * @param before edges dealt last time
 */
export function dealGateways(
  regions: readonly (readonly number[])[],
  before: readonly Edge[],
): Edge[] {
  const known = new Map(before.map((edge) => [pairKey(edge.a, edge.b), edge]));
  return pairsOf(regions.length).flatMap(([p, q]) => tie(regions[p], regions[q], known));
}

/** Which regions are tied, by place. */
function pairsOf(count: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let p = 0; p < count; p++) {
    for (let q = p + 1; q < count; q++) {
      const near = p === 0 || q === p + 1 || (p === 1 && q === count - 1);
      if (count <= ALL_PAIRS_UP_TO || near) pairs.push([p, q]);
    }
  }
  return pairs;
}

function tie(
  ours: readonly number[],
  theirs: readonly number[],
  known: ReadonlyMap<string, Edge>,
): Edge[] {
  const wanted = Math.min(GATEWAYS_EACH, ours.length, theirs.length);
  const free = { ours: new Set(ours), theirs: new Set(theirs) };
  const edges: Edge[] = [];
  const take = (a: number, b: number, owner: number) => {
    free.ours.delete(a);
    free.theirs.delete(b);
    edges.push({ a, b, owner });
  };
  for (const { a, b, owner } of known.values()) {
    if (edges.length >= wanted) break;
    if (free.ours.has(a) && free.theirs.has(b)) take(a, b, owner);
    else if (free.ours.has(b) && free.theirs.has(a)) take(b, a, owner);
  }
  while (edges.length < wanted) {
    const [a] = free.ours;
    const [b] = free.theirs;
    take(a, b, edges.length % 2 === 0 ? a : b);
  }
  return edges;
}
