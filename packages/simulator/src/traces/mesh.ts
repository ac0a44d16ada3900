/** Which hosts of a made recording probe each other, and which of these edges are biased. */
import type { Prng } from "@ttcs/units";

/** Below this many hosts all probe each other, unless it is said how many neighbours there are. */
const FULL_MESH_BELOW = 12;
const NEIGHBOURS = 10;

/** A ring, which connects everybody, and random chords until everybody has about enough. */
export function dealEdges(
  hosts: number,
  neighbours: number | undefined,
  random: Prng,
): [number, number][] {
  const edges: [number, number][] = [];
  const all = neighbours === undefined ? hosts < FULL_MESH_BELOW : neighbours >= hosts - 1;
  if (all) {
    for (let a = 0; a < hosts; a++) for (let b = a + 1; b < hosts; b++) edges.push([a, b]);
    return edges;
  }
  const seen = new Set<number>();
  const add = (a: number, b: number) => {
    const key = Math.min(a, b) * hosts + Math.max(a, b);
    if (a === b || seen.has(key)) return;
    seen.add(key);
    edges.push([Math.min(a, b), Math.max(a, b)]);
  };
  for (let a = 0; a < hosts; a++) add(a, (a + 1) % hosts);
  const wanted = Math.ceil((hosts * (neighbours ?? NEIGHBOURS)) / 2);
  while (edges.length < wanted) add(random.next() % hosts, random.next() % hosts);
  return edges;
}

/** How the offsets of some edges are biased (`TraceOptions`). */
export interface Bias {
  readonly biasedShare?: number | undefined;
  readonly biasNs?: number | undefined;
  readonly biasNsMin?: number | undefined;
}

/** Bias of each edge's offset (ns), 0 for most. */
export function dealBias(edges: number, bias: Bias, random: Prng): number[] {
  const { biasedShare = 0, biasNs = 1_500, biasNsMin = biasNs } = bias;
  const out: number[] = Array(edges).fill(0);
  for (let left = Math.round(biasedShare * edges); left > 0; ) {
    const e = random.next() % edges;
    if (out[e] !== 0) continue;
    const sizeNs = biasNsMin === biasNs ? biasNs : random.between(biasNsMin, biasNs);
    out[e] = random.uniform() < 0.5 ? -sizeNs : sizeNs;
    left--;
  }
  return out;
}
