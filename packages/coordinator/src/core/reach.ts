/**
 * Which hosts the fresh fits of a round join to each other, and so which sides a domain has fallen into.
 *
 * Only asked when somebody is out of reach: then it says on whose side the majority of anchors is. An
 * edge that does not fit the mesh joins like any other: it shows that probes pass.
 */
import type { AnchorSet } from "./anchors.ts";
import type { MeshFit } from "./fits.ts";
import { connectedHosts, type Host } from "./host.ts";

/** See the module head. Hosts by number. */
export class Reach {
  readonly #parent = new Map<number, number>();

  constructor(fits: readonly Pick<MeshFit, "owner" | "other">[]) {
    for (const { owner, other } of fits) {
      const [a, b] = [this.#root(owner), this.#root(other)];
      if (a !== b) this.#parent.set(a, b);
    }
  }

  /** The hosts with a live stream on the side of this one; itself alone when no fit names it. */
  sideOf(host: Host, hosts: Iterable<Host>): Host[] {
    const side = this.#root(host.number);
    return connectedHosts(hosts).filter((h) => this.#root(h.number) === side);
  }

  /** The side that has a majority of the anchors; undefined: none has. */
  majoritySide(anchors: AnchorSet, hosts: ReadonlyMap<number, Host>): Host[] | undefined {
    const sides = new Map<number, Host[]>();
    for (const host of connectedHosts(hosts.values())) {
      const root = this.#root(host.number);
      const side = sides.get(root);
      if (side) side.push(host);
      else sides.set(root, [host]);
    }
    return [...sides.values()].find((side) => anchors.isMajority(anchors.countOf(side)));
  }

  #root(host: number): number {
    let at = host;
    for (let up = this.#parent.get(at); up !== undefined; up = this.#parent.get(at)) {
      // Halves the way for whoever comes after.
      const above = this.#parent.get(up);
      if (above !== undefined) this.#parent.set(at, above);
      at = up;
    }
    return at;
  }
}
