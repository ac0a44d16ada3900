/**
 * Hosts that contradict the mesh, remembered over rounds.
 *
 * A host that contradicts the others in most of the last few rounds is expelled under its name: its
 * word counts for nobody, and it is told so. It returns after a spell in which it agreed in every
 * round, the longer the more often it was expelled: whoever lies now and then is out most of the
 * time. Cases of hosts that have long been honest are forgotten.
 */

/**
 * So many of the last rounds in which a host contradicts the mesh expel it (3 of 8 s). One may be an
 * accident, and audits, by which most lies come to light, come one round in ten: until most have come
 * an honest host may pass for a liar. Whoever is accused takes no part in that very round.
 */
const ROUNDS_JUDGED = 16;
const ROUNDS_TO_EXPEL = 6;
/** Rounds of agreement after which a host returns the first time (10 s), and at the most (10 min). */
const SPELL_ROUNDS = 20;
const SPELL_ROUNDS_MAX = 1_200;
/** A host that was honest for so many rounds after its return has no case any more (10 min). */
const FORGET_ROUNDS = 1_200;

const JUDGED_MASK = (1 << ROUNDS_JUDGED) - 1;

interface Case {
  /** A bit for each of the last rounds, the newest lowest: 1 contradicted. */
  recent: number;
  expelled: boolean;
  reason: string;
  /** Rounds of agreement in a row. */
  honest: number;
  /** Rounds that it must agree before it returns. */
  spell: number;
}

/** What has changed for a host, for the log. */
export interface CaseChange {
  readonly host: number;
  readonly expelled: boolean;
  readonly reason: string;
}

/** One for one domain. Hosts by their numbers. */
export class HostCases {
  readonly #cases = new Map<number, Case>();
  #changes: CaseChange[] = [];
  #expelledCount = 0;

  get isEmpty(): boolean {
    return this.#cases.size === 0;
  }

  get expelledCount(): number {
    return this.#expelledCount;
  }

  isExpelled(host: number): boolean {
    return this.#cases.get(host)?.expelled === true;
  }

  /** Why a host is expelled; empty: it is not. */
  reasonOf(host: number): string {
    const found = this.#cases.get(host);
    return found?.expelled ? found.reason : "";
  }

  /** Numbers of all hosts that are expelled. */
  get expelled(): number[] {
    return [...this.#cases].filter(([, c]) => c.expelled).map(([host]) => host);
  }

  /**
   * Takes what a round has found.
   *
   * @param accused why, by host that contradicts the mesh in this round
   * @param seen whether a host was there to be judged
   */
  judge(accused: ReadonlyMap<number, string>, seen: (host: number) => boolean): void {
    for (const [host, reason] of accused) {
      const known = this.#cases.get(host) ?? newCase();
      this.#cases.set(host, known);
      known.recent = ((known.recent << 1) | 1) & JUDGED_MASK;
      known.honest = 0;
      if (!known.expelled && bitCount(known.recent) >= ROUNDS_TO_EXPEL) this.#expel(host, known);
      known.reason = reason;
    }
    for (const [host, known] of this.#cases) {
      if (accused.has(host) || !seen(host)) continue;
      known.recent = (known.recent << 1) & JUDGED_MASK;
      known.honest++;
      if (known.expelled && known.honest >= known.spell) this.#readmit(host, known);
      const isLight = known.spell === SPELL_ROUNDS && !known.expelled;
      if (known.honest >= (isLight ? ROUNDS_JUDGED : FORGET_ROUNDS)) {
        if (!known.expelled) this.#cases.delete(host);
      }
    }
  }

  /** The host has left for good. */
  forget(host: number): void {
    if (this.isExpelled(host)) this.#expelledCount--;
    this.#cases.delete(host);
  }

  /** What has changed since the last call. */
  takeChanges(): readonly CaseChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes.map((c) => ({ ...c, reason: this.#cases.get(c.host)?.reason ?? c.reason }));
  }

  #expel(host: number, known: Case): void {
    known.expelled = true;
    this.#expelledCount++;
    this.#changes.push({ host, expelled: true, reason: known.reason });
  }

  #readmit(host: number, known: Case): void {
    known.expelled = false;
    this.#expelledCount--;
    known.honest = 0;
    known.recent = 0;
    known.spell = Math.min(SPELL_ROUNDS_MAX, 2 * known.spell);
    this.#changes.push({ host, expelled: false, reason: "" });
  }
}

const newCase = (): Case => ({
  recent: 0,
  expelled: false,
  reason: "",
  honest: 0,
  spell: SPELL_ROUNDS,
});

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
