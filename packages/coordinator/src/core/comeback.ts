/**
 * A domain's memory put to use: hosts come back under their numbers, and the first round is not waited
 * for longer than until all are back that were there a moment ago.
 */
import type { DomainMemory } from "./memory.ts";
import type { Roster } from "./roster.ts";

/** A memory is told at most this often (ms): a fleet that reconnects changes it a thousand times. */
const TELL_EVERY_MS = 1_000;

/** See the module head. */
export class Comeback {
  readonly #memory: DomainMemory | undefined;
  readonly #roster: Roster;
  readonly #expected: readonly number[];
  #isRestored = false;
  #told = "";
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(memory: DomainMemory | undefined, roster: Roster) {
    this.#memory = memory;
    this.#roster = roster;
    this.#expected = memory?.hosts.filter((h) => h.connected).map((h) => h.number) ?? [];
  }

  /** Call before anything else, with every event; true once, when hosts are there again. */
  restore(nowMs: number): boolean {
    if (this.#isRestored) return false;
    this.#isRestored = true;
    if (this.#memory) this.#roster.restore(this.#memory, nowMs);
    return this.#memory !== undefined;
  }

  /** Everybody is back who was there when the memory was written. */
  get isComplete(): boolean {
    const { hosts } = this.#roster;
    const isBack = (n: number) => hosts.get(n)?.connection !== undefined;
    return this.#expected.length > 0 && this.#expected.every(isBack);
  }

  /** What is to be remembered now. */
  memory(known: Omit<DomainMemory, "hosts" | "nextNumber">): DomainMemory {
    const hosts = [...this.#roster.hosts.values()].map(({ number, connection, hello }) => ({
      number,
      connected: connection !== undefined,
      hello,
    }));
    return { ...known, hosts, nextNumber: this.#roster.nextNumber };
  }

  /**
   * True when something has changed that was not told, and the last telling is some time ago.
   *
   * @param known tells what of the domain is known; asked for when there may be something to tell
   */
  isDue(known: () => string, nowMs: number): boolean {
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return false;
    const now = `${this.#roster.changes} ${known()}`;
    if (now === this.#told) return false;
    this.#told = now;
    this.#toldMs = nowMs;
    return true;
  }
}
