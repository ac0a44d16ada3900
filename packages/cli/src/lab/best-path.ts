/**
 * How tight a host's bound could be: half the round trip of its best path to the reference.
 *
 * No measurement sees how a round trip divides into there and back, so a bound cannot be tighter than
 * about half of it, and should not be much wider. The delays are those that the agents themselves
 * report for their neighbours; the path is the direct edge when there is one, otherwise the shortest
 * over all edges (Dijkstra, "A note on two problems in connexion with graphs", 1959).
 *
 * It cannot see whether the reported delays are right: it sets one figure of the agents against others.
 */
import type { AgentStatus } from "@ttcs/agent";
import { median } from "./percentiles.ts";

/** A bound may be this many times half the round trip, and this much more (ns). */
const LIMIT_FACTOR = 1.3;
const LIMIT_EXTRA_NS = 1_000;

/** Collects the delays of all edges. */
export class PathTable {
  /** Half round trips (ns) of each edge, as told by whoever owned it. */
  readonly #edges = new Map<string, { ends: readonly [string, string]; halvesNs: number[] }>();

  /** Notes what a host says of its neighbours. */
  note(host: string, neighbours: AgentStatus["neighbours"]): void {
    for (const { host: other, owner, delay_to_ns, delay_from_ns } of neighbours) {
      // The owner fits every round; the other end tells the same, less often.
      if (!owner || delay_to_ns === null || delay_from_ns === null) continue;
      const ends = host < other ? ([host, other] as const) : ([other, host] as const);
      const edge = this.#edges.get(ends.join()) ?? { ends, halvesNs: [] };
      edge.halvesNs.push((delay_to_ns + delay_from_ns) / 2);
      this.#edges.set(ends.join(), edge);
    }
  }

  /** Half the round trip of the best path from `reference` to every host that it reaches (ns). */
  fromReference(reference: string): Map<string, number> {
    const edges = this.#medians();
    const reached = new Map([[reference, 0]]);
    const waiting = new Set(edges.keys());
    for (let host: string | undefined = reference; host !== undefined; ) {
      waiting.delete(host);
      for (const [next, lengthNs] of edges.get(host) ?? []) {
        const overNs: number = reached.get(host)! + lengthNs;
        if (overNs < (reached.get(next) ?? Number.POSITIVE_INFINITY)) reached.set(next, overNs);
      }
      let nearest: string | undefined;
      for (const id of waiting) {
        if (!reached.has(id)) continue;
        if (nearest === undefined || reached.get(id)! < reached.get(nearest)!) nearest = id;
      }
      host = nearest;
    }
    for (const [host, lengthNs] of edges.get(reference) ?? []) reached.set(host, lengthNs);
    reached.delete(reference);
    return reached;
  }

  #medians(): Map<string, Map<string, number>> {
    const out = new Map<string, Map<string, number>>();
    const set = (a: string, b: string, ns: number) => {
      const from = out.get(a) ?? new Map<string, number>();
      out.set(a, from.set(b, ns));
    };
    for (const { ends, halvesNs } of this.#edges.values()) {
      const halfNs = median(halvesNs)!;
      set(ends[0], ends[1], halfNs);
      set(ends[1], ends[0], halfNs);
    }
    return out;
  }
}

/** The widest bound that is good enough over a path of this half round trip (ns both). */
export const boundLimitNs = (halfRoundTripNs: number): number =>
  LIMIT_FACTOR * halfRoundTripNs + LIMIT_EXTRA_NS;
