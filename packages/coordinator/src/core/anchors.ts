/**
 * The anchors of a domain: the few hosts whose majority may speak for it.
 *
 * Problem: when a domain falls apart, each part still looks like a domain. Two parts that are both
 * steered would drift apart, and each would call itself right. Approach: a frozen set of hosts, the
 * reference, its standbys by clock_quality, then the longest LOCKED, and a side is steered only while
 * a majority of the set is in view: connected to the coordinator and reached by the mesh from the
 * reference. Two sides cannot both have it.
 *
 * The set is frozen when the first host is LOCKED; until then everybody may be steered. After that it
 * changes by one host at a time and only while its own majority is in view, so it never shrinks to
 * fit a minority: it grows up to its size with hosts that stay LOCKED, a member that stays away for
 * minutes is replaced (or left out, where there is nobody), and a host of higher clock_quality takes
 * the place of the lowest. Members are known by their ids, which outlive a coordinator.
 *
 * It cannot see: whether a host that is not in view is dead or on another side. So of an even set that
 * falls into halves neither goes on.
 */
import type { Host } from "./host.ts";
import { anchorCount } from "./mesh.ts";
import { rankHosts } from "./reference.ts";

/** A set is frozen with so many at least: fewer hosts are not steered at all. */
const ANCHORS_MIN = 3;
/** A member counts as in view for this long after the last round that reached it (ms): three rounds. */
const IN_VIEW_MS = 1_500;
/** A member out of view for this long is replaced (ms): longer than a boot or a repair of a cable. */
const REPLACE_AFTER_MS = 300_000;
/** A free place is given to a host that has been LOCKED for this long (ms) ... */
const GROW_AFTER_MS = 10_000;
/** ... and a taken one to a better host after this long (ms). */
const BETTER_AFTER_MS = 60_000;
/** Members change at most this often once the set has its size (ms). */
const CHANGE_EVERY_MS = 10_000;

/** How much of the set is in view. */
export interface AnchorView {
  readonly present: number;
  readonly size: number;
  /** True also while there is no set yet. */
  readonly hasMajority: boolean;
}

interface Member {
  /** Server's monotonic time of the last round that reached it (ms). */
  seenMs: number;
  /** Since when it is out of view at the latest (ms); NaN: not looked for yet. */
  lookedForSinceMs: number;
}

/** See the module head. */
export class AnchorSet {
  readonly #members = new Map<string, Member>();
  #changedMs = Number.NEGATIVE_INFINITY;

  /** Members by id; what a coordinator that starts anew has to know. */
  toMemory(): string[] {
    return [...this.#members.keys()];
  }

  /** Goes on with the members that were remembered: all of them are looked for again. */
  fromMemory(ids: readonly string[]): void {
    this.#members.clear();
    for (const id of ids) this.#add(id);
  }

  get isFrozen(): boolean {
    return this.#members.size > 0;
  }

  has(host: Host): boolean {
    return this.#members.has(host.id);
  }

  /** How many members are among these hosts. */
  countOf(hosts: Iterable<Host>): number {
    let count = 0;
    for (const host of hosts) if (this.has(host)) count++;
    return count;
  }

  /** True when so many members are more than half of the set. */
  isMajority(count: number): boolean {
    return 2 * count > this.#members.size;
  }

  /** A round has reached these hosts from the reference; all of them are connected. */
  noteReached(hosts: Iterable<Host>, nowMs: number): void {
    for (const host of hosts) {
      const member = this.#members.get(host.id);
      if (member) member.seenMs = nowMs;
    }
    for (const member of this.#members.values()) {
      if (member.seenMs === nowMs) member.lookedForSinceMs = nowMs;
      else if (Number.isNaN(member.lookedForSinceMs)) member.lookedForSinceMs = nowMs;
    }
  }

  /** How much of the set is in view now. */
  view(nowMs: number): AnchorView {
    const size = this.#members.size;
    if (size === 0) return { present: 0, size, hasMajority: true };
    let present = 0;
    for (const { seenMs } of this.#members.values()) if (nowMs - seenMs < IN_VIEW_MS) present++;
    return { present, size, hasMajority: this.isMajority(present) };
  }

  /** The hosts for dealing: members, then the others, each by rank; the reference first. */
  ranked(hosts: Iterable<Host>, reference: Host | undefined): Host[] {
    const place = (h: Host) => (h === reference ? 0 : this.has(h) ? 1 : 2);
    return rankHosts(hosts).sort((a, b) => place(a) - place(b));
  }

  /**
   * Lets the set change as far as it may. Call after a round.
   *
   * @param lockedOnce true once any host has been LOCKED
   * @returns what has changed, in words
   */
  tend(hosts: ReadonlyMap<number, Host>, reference: Host, lockedOnce: boolean, nowMs: number) {
    if (!this.isFrozen) return lockedOnce ? this.#freeze(hosts, reference, nowMs) : [];
    if (!this.view(nowMs).hasMajority) return [];
    const size = Math.min(anchorCount(hosts.size), Math.max(hosts.size, ANCHORS_MIN));
    if (this.#members.size < size) return this.#change(this.#best(hosts, GROW_AFTER_MS, nowMs));
    if (nowMs - this.#changedMs < CHANGE_EVERY_MS) return [];
    const changed = this.#exchange(hosts, reference, nowMs);
    if (changed.length > 0) this.#changedMs = nowMs;
    return changed;
  }

  #freeze(hosts: ReadonlyMap<number, Host>, reference: Host, nowMs: number): string[] {
    const solved = this.ranked(hosts.values(), reference).filter(
      (h) => isConnected(h) && h.track?.fix,
    );
    if (solved.length < ANCHORS_MIN) return [];
    for (const host of solved.slice(0, anchorCount(hosts.size))) {
      this.#add(host.id);
      this.#members.get(host.id)!.seenMs = nowMs;
    }
    this.#changedMs = nowMs;
    return [`anchors are ${this.toMemory().join(", ")}`];
  }

  /** One place changes hands: to the reference, from one who is away, or to a better host. */
  #exchange(hosts: ReadonlyMap<number, Host>, reference: Host, nowMs: number): string[] {
    const away = this.#longestAway(nowMs);
    const last = this.#last(hosts, reference);
    if (!this.has(reference)) return this.#change(reference, away ?? last?.id);
    const best = this.#best(hosts, GROW_AFTER_MS, nowMs);
    if (away !== undefined) {
      return best || this.#members.size > ANCHORS_MIN ? this.#change(best, away) : [];
    }
    const better = this.#best(hosts, BETTER_AFTER_MS, nowMs);
    const isBetter = better && last && better.hello.clockQuality > last.hello.clockQuality;
    return isBetter ? this.#change(better, last.id) : [];
  }

  /** The best host outside of the set that is solved for and has been LOCKED for so long. */
  #best(hosts: ReadonlyMap<number, Host>, lockedForMs: number, nowMs: number): Host | undefined {
    return rankHosts(hosts.values()).find(
      (h) =>
        !this.has(h) && isConnected(h) && h.track?.fix && nowMs - h.lockedSinceMs >= lockedForMs,
    );
  }

  /** The member that ranks last, but for the reference. */
  #last(hosts: ReadonlyMap<number, Host>, reference: Host): Host | undefined {
    return rankHosts(hosts.values()).findLast((h) => this.has(h) && h !== reference);
  }

  #longestAway(nowMs: number): string | undefined {
    let found: string | undefined;
    let sinceMs = nowMs - REPLACE_AFTER_MS;
    for (const [id, { lookedForSinceMs }] of this.#members) {
      if (!(lookedForSinceMs < sinceMs)) continue;
      sinceMs = lookedForSinceMs;
      found = id;
    }
    return found;
  }

  #change(comes: Host | undefined, goes?: string): string[] {
    const words: string[] = [];
    if (goes !== undefined) {
      this.#members.delete(goes);
      words.push(`${goes} is no anchor any more`);
    }
    if (comes) {
      this.#add(comes.id);
      words.push(`${comes.id} is an anchor`);
    }
    return words;
  }

  #add(id: string): void {
    this.#members.set(id, { seenMs: Number.NEGATIVE_INFINITY, lookedForSinceMs: Number.NaN });
  }
}

const isConnected = (host: Host): boolean => host.connection !== undefined;
