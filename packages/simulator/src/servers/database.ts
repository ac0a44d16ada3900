/**
 * The database of several servers, as far as leadership needs it: one lease, rows that bear terms.
 *
 * Every change is a compare-and-swap, as the real store does it. A call takes effect half-way between
 * being made and being answered; a server that cannot reach the database hears so after a while. A
 * call that takes too long has failed for its server and is done all the same: so answers are lost.
 */
import type { LeaseAnswer, LeaseCall, LeaseView } from "@ttcs/coordinator/core";

/** Lets something happen later (ns from now). */
export type Later = (afterNs: number, then: () => void) => void;

/** Who calls. */
export interface Caller {
  readonly holder: string;
  readonly address: string;
  /** Place among the servers. */
  readonly index: number;
}

/** A call of a database next door (ns). */
export const USUAL_LATENCY_NS = 4e6;
/** A call that has not been answered by then has failed, whatever becomes of it (ns). */
const PATIENCE_NS = 1e9;
/** A refused connection is noticed after this (ns). */
const REFUSED_NS = 20e6;

/** See the module head. */
export class SimDatabase {
  row: LeaseView | undefined;
  /** One way and back (ns). */
  latencyNs = USUAL_LATENCY_NS;
  /** True: nobody reaches it. */
  isDown = false;
  /** Servers that cannot reach it. */
  readonly unreachable = new Set<number>();
  /** Rows written, and those of a term that was not the lease's: none may be. */
  rowsWritten = 0;
  rowsRefused = 0;
  rowsOfOldTerm = 0;
  readonly #later: Later;

  constructor(later: Later) {
    this.#later = later;
  }

  /** A call of the lease. */
  call(caller: Caller, call: LeaseCall, answer: (answer: LeaseAnswer) => void): void {
    this.#reach(
      caller,
      () => this.#change(caller, call),
      (changed) => answer(changed ?? { kind: "failed", reason: "no answer" }),
    );
  }

  /** Writes a row in the name of a term; the store takes it only from the lease's present term. */
  write(caller: Caller, term: bigint): void {
    this.#reach(
      caller,
      () => {
        // The lease may have passed on while the row was under way: that is what the fence is for.
        const isFenced = this.row?.term === term && this.row.holder === caller.holder;
        if (!isFenced) this.rowsRefused++;
        else {
          this.rowsWritten++;
          if (term < this.row!.term) this.rowsOfOldTerm++;
        }
      },
      () => {},
    );
  }

  #reach<T>(caller: Caller, change: () => T, answer: (result: T | undefined) => void): void {
    const isGone = () => this.isDown || this.unreachable.has(caller.index);
    if (isGone()) {
      this.#later(REFUSED_NS, () => answer(undefined));
      return;
    }
    const { latencyNs } = this;
    const isLate = latencyNs > PATIENCE_NS;
    if (isLate) this.#later(PATIENCE_NS, () => answer(undefined));
    this.#later(latencyNs / 2, () => {
      const result = isGone() ? undefined : change();
      if (!isLate) this.#later(latencyNs / 2, () => answer(isGone() ? undefined : result));
    });
  }

  #change({ holder, address }: Caller, call: LeaseCall): LeaseAnswer {
    const { row } = this;
    if (call.kind === "read") return { kind: "row", row };
    const changed = (is: boolean, to: () => LeaseView): LeaseAnswer => {
      if (is) this.row = to();
      return { kind: "changed", changed: is };
    };
    if (call.kind === "take") {
      const { over, term } = call;
      const isAsSeen = over?.term === row?.term && over?.renewals === row?.renewals;
      const addresses = [address];
      return changed(isAsSeen, () => ({ holder, addresses, term, renewals: 0n, released: false }));
    }
    const isHeld = row?.holder === holder && row.term === call.term;
    if (call.kind === "release") return changed(isHeld, () => ({ ...row!, released: true }));
    return changed(isHeld && !row.released, () => ({ ...row!, renewals: row!.renewals + 1n }));
  }
}
