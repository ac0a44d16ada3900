/**
 * Meshes of any size for the cost benchmark, of the kind that the coordinator deals.
 *
 * A ring through all hosts, four anchors each (one anchor for every sixteen hosts), random partners
 * for the rest, about `neighbours` each. `dealMesh` itself sorts all hosts for every host, which
 * takes minutes for ten thousand.
 */
import { Prng } from "@ttcs/units";

/** Undirected edges between hosts 0 to hostCount - 1. */
export interface CostMesh {
  readonly hostCount: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** As in the coordinator's mesh: of ten neighbours four are anchors, which serve 64 hosts each. */
const ANCHOR_SHARE = 0.4;
const HOSTS_PER_ANCHOR = 16;

/** Weaves a mesh; never an edge twice. */
export function weaveMesh(hostCount: number, neighbours: number, seed: number): CostMesh {
  const random = new Prng(seed);
  const from: number[] = [];
  const to: number[] = [];
  const partners = Array.from({ length: hostCount }, () => new Set<number>());
  const link = (a: number, b: number) => {
    if (a === b || partners[a].has(b)) return;
    partners[a].add(b);
    partners[b].add(a);
    const ownedByFirst = random.uniform() < 0.5;
    from.push(ownedByFirst ? a : b);
    to.push(ownedByFirst ? b : a);
  };
  const pick = (count: number) => Math.floor(random.uniform() * count);
  const anchorCount = Math.max(5, Math.ceil(hostCount / HOSTS_PER_ANCHOR));
  const anchorsEach = Math.round(ANCHOR_SHARE * neighbours);
  for (let h = 0; h < hostCount; h++) link(h, (h + 1) % hostCount);
  for (let h = 0; h < hostCount; h++) {
    for (let k = 0; k < anchorsEach; k++) link(h, pick(anchorCount));
  }
  for (let h = anchorCount; h < hostCount; h++) {
    for (let tries = 0; partners[h].size < neighbours && tries < 50; tries++) {
      const other = pick(hostCount);
      if (other >= anchorCount && partners[other].size < neighbours) link(h, other);
    }
  }
  return { hostCount, from, to };
}
