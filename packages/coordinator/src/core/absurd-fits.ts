/**
 * Leaves out fits that no asymmetry explains, before a solve sees them.
 *
 * Problem: robust weights make an outlier's pull small, not zero, and a clock that is off by a second
 * pulls with a million times the weight of one that is off by a microsecond. What no path can do
 * (10 ms between two ways to the same host) is a broken agent or a lie.
 *
 * Approach: each host stands where the median of its edges has it, found by walking over the mesh a
 * few times; an edge that contradicts that is left out for a while. Medians, because the walk of
 * `alignment.ts` may itself have gone over such an edge. Where nothing contradicts, all this is one
 * look at each edge.
 *
 * It cannot see: a host most of whose edges lie alike; that host is off, and nobody else.
 */
import { medianOf } from "@ttcs/estimator";
import type { Alignment } from "./alignment.ts";
import type { MeshFit } from "./fits.ts";
import { pairKey } from "./mesh.ts";

/** Two ways to the same host contradict each other by less than this (ns). */
const CONTRADICTION_NS_MAX = 10e6;
/** Walks over the mesh: a host's median is right once most of its neighbours' are. */
const WALKS = 4;
/** An edge is left out for so many rounds before it is looked at again (10 s). */
const ROUNDS_OUT = 20;

/** Remembers which edges are left out; one for one domain. */
export class AbsurdFits {
  /** Rounds for which each is still out, by the pair's key. */
  readonly #out = new Map<string, number>();

  /** The fits of edges that are not left out. Call once a round. */
  remaining(fits: readonly MeshFit[]): readonly MeshFit[] {
    if (this.#out.size === 0) return fits;
    for (const [key, rounds] of this.#out) {
      if (rounds > 1) this.#out.set(key, rounds - 1);
      else this.#out.delete(key);
    }
    return fits.filter((fit) => !this.#out.has(pairKey(fit.owner, fit.other)));
  }

  /** Notes the edges of an alignment that contradict the others; true when there are any. */
  find(aligned: Alignment): boolean {
    const { surplusNs, edgeCount, from, to, hosts } = aligned;
    let widest = 0;
    for (let e = 0; e < edgeCount; e++) widest = Math.max(widest, Math.abs(surplusNs[e]));
    if (widest <= CONTRADICTION_NS_MAX) return false;
    const placeNs = medianPlaces(aligned);
    let found = false;
    for (let e = 0; e < edgeCount; e++) {
      const restNs = surplusNs[e] - (placeNs[to[e]] - placeNs[from[e]]);
      if (Math.abs(restNs) <= CONTRADICTION_NS_MAX) continue;
      this.#out.set(pairKey(hosts[from[e]], hosts[to[e]]), ROUNDS_OUT);
      found = true;
    }
    return found;
  }
}

/** Where the median of its edges has each host, beyond the alignment (ns); the reference is at 0. */
function medianPlaces({ surplusNs, edgeCount, from, to, hosts }: Alignment): Float64Array {
  const placeNs = new Float64Array(hosts.length);
  const edgesOf: number[][] = hosts.map(() => []);
  for (let e = 0; e < edgeCount; e++) {
    edgesOf[from[e]].push(e);
    edgesOf[to[e]].push(e);
  }
  for (let walk = 0; walk < WALKS; walk++) {
    for (let row = 1; row < hosts.length; row++) {
      const told = Float64Array.from(edgesOf[row], (e) =>
        to[e] === row ? placeNs[from[e]] + surplusNs[e] : placeNs[to[e]] - surplusNs[e],
      );
      placeNs[row] = medianOf(told, told.length);
    }
  }
  return placeNs;
}
