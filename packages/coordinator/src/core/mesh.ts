/**
 * Deals the mesh: who probes whom, and which end of an edge fits it.
 *
 * Up to 11 hosts, everybody probes everybody. Above that, each host gets four anchors (the best of
 * the domain, known to all) and enough random others to make about ten, and a ring through all
 * hosts keeps the graph connected. Random partners are chosen by the hash of the pair (rendezvous
 * hashing), so a host that comes or goes changes only its own edges. About ten neighbours are
 * enough for the network effect and for telling a liar from its witnesses (Geng et al., NSDI 2018,
 * probe 10 to 20).
 *
 * Owners are balanced by count, and an anchor does not own while the other end can: anchors have
 * many edges already.
 */
import { mix32 } from "@ttcs/units";

/** An undirected edge with the end that fits it. */
export interface Edge {
  readonly a: number;
  readonly b: number;
  readonly owner: number;
}

/** Below this many hosts, the mesh is complete. */
export const FULL_MESH_BELOW = 12;
/** Neighbours of a host in a larger mesh, unless somebody asks for another number. */
const NEIGHBOURS = 10;
/** Anchors among them, and their share where the number is another. */
const ANCHORS_EACH = 4;
const ANCHOR_SHARE = ANCHORS_EACH / NEIGHBOURS;
/** No anchor serves more edges than this. */
const ANCHOR_EDGES_MAX = 64;

/**
 * Deals edges over hosts.
 *
 * @param ranked host numbers, best first: the reference, standbys, then the longest LOCKED
 * @param seed makes the random part reproducible
 * @param before edges dealt last time; an owner stays where its edge stays
 * @param neighbours neighbours of a host, about, where the mesh is not complete (2 and more)
 * @param barred pairs that have others dealt in their place, as far as the ring can do without them
 */
export function dealMesh(
  ranked: readonly number[],
  seed: number,
  before: readonly Edge[],
  neighbours = NEIGHBOURS,
  barred: ReadonlySet<string> = new Set(),
): Edge[] {
  const anchors = new Set(ranked.slice(0, anchorCount(ranked.length)));
  const isFull = isFullMesh(ranked.length, neighbours);
  const pairs = isFull ? fullMesh(ranked) : sparseMesh(ranked, anchors, seed, neighbours, barred);
  return assignOwners(pairs, isFull ? new Set() : anchors, before);
}

/** True when everybody probes everybody: no edge can be replaced by another. */
export const isFullMesh = (hostCount: number, neighbours = NEIGHBOURS): boolean =>
  hostCount < neighbours + FULL_MESH_BELOW - NEIGHBOURS;

/** How many anchors a mesh of this size needs, so that none serves more than 64 edges. */
export function anchorCount(hostCount: number): number {
  return Math.max(5, Math.ceil((ANCHORS_EACH * hostCount) / ANCHOR_EDGES_MAX));
}

/** A key for an unordered pair. */
export const pairKey = (a: number, b: number): string => (a < b ? `${a}-${b}` : `${b}-${a}`);

/**
 * A number for an unordered pair, for maps that are asked ten thousand times a round; small for all
 * hosts that there can be today, so that the engine need not box it.
 */
export function pairNumber(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return low < 0x8000 && high < 0x1_0000 ? low * 0x1_0000 + high : (low + 1) * 2 ** 32 + high;
}

function fullMesh(hosts: readonly number[]): [number, number][] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < hosts.length; i++) {
    for (let j = i + 1; j < hosts.length; j++) pairs.push([hosts[i], hosts[j]]);
  }
  return pairs;
}

function sparseMesh(
  ranked: readonly number[],
  anchors: ReadonlySet<number>,
  seed: number,
  neighbours: number,
  barred: ReadonlySet<string>,
): [number, number][] {
  const anchorsEach = Math.min(ANCHORS_EACH, Math.round(ANCHOR_SHARE * neighbours));
  const pairs = new Map<number, [number, number]>();
  const isBarred = (a: number, b: number) => barred.size > 0 && barred.has(pairKey(a, b));
  const degree = new Map<number, number>(ranked.map((h) => [h, 0]));
  const link = (a: number, b: number) => {
    const number = pairNumber(a, b);
    if (a === b || pairs.has(number) || isBarred(a, b)) return;
    pairs.set(number, [a, b]);
    degree.set(a, degree.get(a)! + 1);
    degree.set(b, degree.get(b)! + 1);
  };
  const hashOf = new Map(ranked.map((h) => [h, mix32(seed, h)]));
  const ring = [...ranked].sort((x, y) => hashOf.get(x)! - hashOf.get(y)! || x - y);
  for (let i = 0; i < ring.length; i++) {
    // The next of the ring that is not barred: a detour keeps it closed.
    for (let step = 1; step < ring.length; step++) {
      const next = ring[(i + step) % ring.length];
      if (isBarred(ring[i], next)) continue;
      link(ring[i], next);
      break;
    }
  }
  for (const h of ranked) {
    const open = [...anchors].filter((a) => degree.get(a)! < ANCHOR_EDGES_MAX && !isBarred(h, a));
    for (const a of closest(seed, h, open, anchorsEach)) link(h, a);
  }
  let wanting = ranked.filter((h) => !anchors.has(h));
  for (const h of [...wanting]) {
    const missing = neighbours - degree.get(h)!;
    if (missing <= 0) continue;
    // Who has enough is not asked any more: most are not, towards the end.
    wanting = wanting.filter((o) => degree.get(o)! < neighbours);
    const isNew = (o: number) => !pairs.has(pairNumber(h, o)) && !isBarred(h, o);
    for (const o of closest(seed, h, wanting, missing, isNew)) link(h, o);
  }
  return [...pairs.values()];
}

/** Up to `count` hosts, those with the least hashes of the pair with `h` that are admitted. */
function closest(
  seed: number,
  h: number,
  among: readonly number[],
  count: number,
  isAdmitted: (other: number) => boolean = () => true,
): number[] {
  const found: { readonly o: number; readonly hash: number }[] = [];
  for (const o of among) {
    const hash = pairHash(seed, h, o);
    let at = found.length;
    while (at > 0 && (found[at - 1].hash - hash || found[at - 1].o - o) > 0) at--;
    if (o === h || at === count || !isAdmitted(o)) continue;
    found.splice(at, 0, { o, hash });
    if (found.length > count) found.pop();
  }
  return found.map(({ o }) => o);
}

function pairHash(seed: number, a: number, b: number): number {
  return mix32(mix32(seed, Math.min(a, b)), Math.max(a, b));
}

function assignOwners(
  pairs: readonly [number, number][],
  anchors: ReadonlySet<number>,
  before: readonly Edge[],
): Edge[] {
  const earlier = new Map(before.map((e) => [pairNumber(e.a, e.b), e.owner]));
  const owned = new Map<number, number>();
  const count = (h: number) => owned.get(h) ?? 0;
  const edges: Edge[] = [];
  const free: { index: number; a: number; b: number }[] = [];
  for (const [a, b] of pairs) {
    const kept = earlier.get(pairNumber(a, b));
    const owner = kept ?? (anchors.has(a) ? b : a);
    if (kept === undefined && anchors.has(a) === anchors.has(b)) {
      free.push({ index: edges.length, a, b });
    }
    owned.set(owner, count(owner) + 1);
    edges.push({ a, b, owner });
  }
  // Hand edges over until no free edge can even out its two ends any further.
  for (let moved = true; moved; ) {
    moved = false;
    for (const { index, a, b } of free) {
      const owner = edges[index].owner;
      const other = owner === a ? b : a;
      if (count(owner) - count(other) < 2) continue;
      owned.set(owner, count(owner) - 1);
      owned.set(other, count(other) + 1);
      edges[index] = { a, b, owner: other };
      moved = true;
    }
  }
  return edges;
}
