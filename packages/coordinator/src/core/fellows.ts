/**
 * The servers that share a store: who lives, and who is the first choice for a domain.
 *
 * A server lives while its beat goes on, watched on our own monotonic clock. Domains are spread by
 * rendezvous hashing over those that live (Thaler and Ravishankar, 1998): every server comes to the
 * same order by itself, and one that comes or goes moves only its own domains.
 */
import { hashText, mix32 } from "@ttcs/units";

/** A server whose beat stood still for this long is dead (ms); beats come once a second. */
const DEAD_MS = 3_000;
/** One that is dead for this long is forgotten (ms). */
const FORGET_MS = 60_000;

/** A server as the store has it. */
export interface Fellow {
  readonly id: string;
  /** "host:port". */
  readonly address: string;
  readonly beat: bigint;
}

interface Watched {
  fellow: Fellow;
  /** When its beat was seen to go on, and since when it does without a break (ms). */
  movedMs: number;
  sinceMs: number;
}

/** See the module head. */
export class Fellows {
  readonly #ownId: string;
  readonly #watched = new Map<string, Watched>();

  /** @param ownId this server: it lives, whatever the store says */
  constructor(ownId: string) {
    this.#ownId = ownId;
  }

  /** The list as it was read just now. */
  saw(list: readonly Fellow[], nowMs: number): void {
    const ids = new Set(list.map((f) => f.id));
    for (const id of this.#watched.keys()) if (!ids.has(id)) this.#watched.delete(id);
    for (const fellow of list) {
      const known = this.#watched.get(fellow.id);
      if (!known) this.#watched.set(fellow.id, { fellow, movedMs: nowMs, sinceMs: nowMs });
      else {
        if (known.fellow.beat !== fellow.beat) {
          if (nowMs - known.movedMs >= DEAD_MS) known.sinceMs = nowMs;
          known.movedMs = nowMs;
        }
        known.fellow = fellow;
      }
    }
  }

  /** Servers that live, the first choice for `domain` first. */
  order(domain: string, nowMs: number): Fellow[] {
    const weight = ({ id }: Fellow) => mix32(hashText(domain), hashText(id));
    return [...this.#watched.values()]
      .filter((w) => w.fellow.id === this.#ownId || nowMs - w.movedMs < DEAD_MS)
      .map((w) => w.fellow)
      .sort((a, b) => weight(a) - weight(b) || (a.id < b.id ? -1 : 1));
  }

  /**
   * Where this server stands in that order; 0: first, also while it is not in the list.
   *
   * @param without a server that has just given the domain away
   */
  rank(domain: string, nowMs: number, without?: string): number {
    const others = this.order(domain, nowMs).filter((f) => f.id !== without);
    const place = others.findIndex((f) => f.id === this.#ownId);
    return Math.max(0, place);
  }

  /** The other server that has been a better choice for `domain` for `ms`, without a break. */
  betterFor(domain: string, ms: number, nowMs: number): Fellow | undefined {
    const first = this.order(domain, nowMs)[0];
    if (!first || first.id === this.#ownId) return undefined;
    return nowMs - this.#watched.get(first.id)!.sinceMs >= ms ? first : undefined;
  }

  /** Servers that are long dead: their rows may go. */
  forgotten(nowMs: number): Fellow[] {
    return [...this.#watched.values()]
      .filter((w) => w.fellow.id !== this.#ownId && nowMs - w.movedMs >= FORGET_MS)
      .map((w) => w.fellow);
  }
}
