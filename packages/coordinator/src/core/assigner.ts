/**
 * Tells hosts their neighbours, and the keys of the edges to them.
 *
 * After a deal everybody is told at once in a small domain. In a large one a message for each of a
 * thousand hosts would hold up a round: there they wait in line, some are told at every calm beat, those
 * who know no neighbours at all first, and each hears what is true when its turn comes. New keys are told
 * in the same way. Who knows already what there is to say is told nothing (`told-assignments.ts`).
 */
import { type Dealer, isLargeDomain } from "./dealer.ts";
import type { Host } from "./host.ts";
import type { Outbox } from "./outbox.ts";
import type { KeyDealer } from "./probe-keys.ts";
import type { Regions } from "./regions.ts";
import type { Roster } from "./roster.ts";
import { ToldAssignments } from "./told-assignments.ts";

/** So many hosts are told at a beat. */
const TOLD_AT_ONCE = 32;

/** What an assigner looks at, and where it speaks. */
export interface AssignerNeeds {
  readonly roster: Roster;
  readonly dealer: Dealer;
  readonly regions: Regions;
  readonly outbox: Outbox;
  /** Absent: no keys are dealt. */
  readonly keys: KeyDealer | undefined;
}

/** See the module head. */
export class Assigner {
  readonly #needs: AssignerNeeds;
  readonly #told = new ToldAssignments();
  /** Hosts that are to be told, if there is anything new for them. */
  readonly #toTell = new Set<Host>();

  constructor(needs: AssignerNeeds) {
    this.#needs = needs;
  }

  /** The mesh was dealt. */
  dealt(): void {
    const { hosts, connected } = this.#needs.roster;
    if (isLargeDomain(hosts.size)) this.#line(connected);
    else for (const host of connected) this.tell(host);
  }

  /** Tells a host its neighbours, unless it knows. @returns true: it was told */
  tell(host: Host): boolean {
    const { roster, dealer, regions, outbox, keys } = this.#needs;
    const reference = regions.of(host)?.leadership.reference;
    const neighbours = dealer.neighboursOf(host, roster.hosts);
    if (!this.#told.isNews(host, reference, neighbours, keys?.generation)) return false;
    outbox.send(host, dealer.assignment(host, neighbours, reference, keys));
    return true;
  }

  /** A host's agent has started anew: its neighbours have to know the keys that it was dealt. */
  tellAround(host: Host): void {
    const { roster, dealer } = this.#needs;
    for (const { host: other } of dealer.neighboursOf(host, roster.hosts)) {
      if (other.connection !== undefined) this.tell(other);
    }
  }

  /** A beat; `isCalm` as in `round-timing.ts`. */
  tick(nowMs: number, isCalm: boolean): void {
    const { keys, roster } = this.#needs;
    if (keys?.look(nowMs)) this.#line(roster.connected);
    if (this.#toTell.size === 0 || !isCalm) return;
    let left = TOLD_AT_ONCE;
    for (const host of this.#toTell) {
      this.#toTell.delete(host);
      if (host.connection !== undefined && this.tell(host) && --left === 0) return;
    }
  }

  forget(host: Host): void {
    this.#toTell.delete(host);
  }

  /** Whoever waits already keep their place, but those who know no neighbours come first. */
  #line(hosts: readonly Host[]): void {
    const waiting = [...this.#toTell, ...hosts];
    this.#toTell.clear();
    for (const host of waiting) if (!this.#told.knows(host)) this.#toTell.add(host);
    for (const host of waiting) this.#toTell.add(host);
  }
}
