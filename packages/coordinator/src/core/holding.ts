/**
 * Who is not steered in a round, and in what words it is told.
 *
 * Corrections are for the side that has a majority of the anchors, and there for the hosts that the
 * mesh reaches from the reference. Everybody else holds over on the line that it has. A missed round is
 * no reason: whoever was reached a second ago is left in peace.
 */
import type { AnchorSet } from "./anchors.ts";
import type { MeshFit } from "./fits.ts";
import type { Host } from "./host.ts";
import { Reach } from "./reach.ts";
import type { RoundResult } from "./solve.ts";

/** Who was out of reach for less than this is not told (ms): two rounds. */
const PATIENCE_MS = 1_000;

/** See the module head. */
export class Holding {
  readonly #anchors: AnchorSet;
  readonly #reachedMs = new Map<number, number>();
  #heldFor = "";

  constructor(anchors: AnchorSet) {
    this.#anchors = anchors;
  }

  /** The connected hosts that a solve has reached, whether it trusted them or not. */
  reached(result: RoundResult | undefined, connected: readonly Host[], nowMs: number): Host[] {
    if (!result) return [];
    const reached = connected.filter(
      ({ number }) => result.trusted.has(number) || result.reasons.has(number),
    );
    for (const { number } of reached) this.#reachedMs.set(number, nowMs);
    return reached;
  }

  forget(host: Host): void {
    this.#reachedMs.delete(host.number);
  }

  /** True when a host that holds a line has been out of reach for long enough to be told. */
  mustHold(host: Host, nowMs: number): boolean {
    if (!host.report?.line) return false;
    const reachedMs = this.#reachedMs.get(host.number);
    if (reachedMs === undefined) this.#reachedMs.set(host.number, nowMs);
    return reachedMs !== undefined && nowMs - reachedMs > PATIENCE_MS;
  }

  /** Why a host that is out of reach holds over. */
  reasonFor(host: Host, reach: Reach, hosts: ReadonlyMap<number, Host>): string {
    const side = reach.sideOf(host, hosts.values());
    if (side.length === 1) return "no neighbour's probes reach this host";
    return minorityReason(this.#anchors.countOf(side), this.#anchors.view(0).size);
  }

  /** Says once what all hosts hold over for, and once that it is over. */
  news(reason: string): string | undefined {
    if (reason === this.#heldFor) return undefined;
    this.#heldFor = reason;
    return reason === "" ? "a majority of the anchors is in view again" : reason;
  }
}

/** What a side without a majority is told. */
export function minorityReason(present: number, size: number): string {
  return `${present} of ${size} anchors in view: a side without a majority holds over`;
}

/** The sides of a round; made when somebody asks. */
export const lazyReach = (fits: readonly MeshFit[]): (() => Reach) => {
  let reach: Reach | undefined;
  return () => {
    reach ??= new Reach(fits);
    return reach;
  };
};
