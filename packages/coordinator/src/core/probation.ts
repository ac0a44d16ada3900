/**
 * Who has lost the lead, and for how long it must prove itself before it leads again.
 *
 * A reference that comes back after a failure may fail again, and each change of the lead costs a
 * little of everybody's agreement. So a host leads only after it has been LOCKED, and its source steady,
 * for a minute without a break; whoever loses the lead once more within an hour of proven service
 * needs twice the time, up to an hour.
 */
/** A host proves itself for this long (ms). */
export const PROOF_MS = 60_000;
/** At most (ms); and after so long without a loss the first time holds again. */
const PROOF_MS_MAX = 3_600_000;

/** What is kept of a host that has lost the lead; plain data. */
export interface Loss {
  readonly id: string;
  /** Time of proof (ms). */
  readonly proofMs: number;
  /** Server's monotonic time of the loss (ms); one that starts anew takes it for the present. */
  readonly lostMs: number;
}

/** See the module head. */
export class Probation {
  readonly #losses = new Map<string, Loss>();

  /** A host has lost the lead; returns for how long it must prove itself (ms). */
  lost(id: string, nowMs: number): number {
    const before = this.#losses.get(id);
    const forgiven = !before || nowMs - before.lostMs > before.proofMs + PROOF_MS_MAX;
    const proofMs = forgiven ? PROOF_MS : Math.min(PROOF_MS_MAX, 2 * before.proofMs);
    this.#losses.set(id, { id, proofMs, lostMs: nowMs });
    return proofMs;
  }

  /** For how long a host must have proved itself to lead (ms). */
  proofMs(id: string): number {
    return this.#losses.get(id)?.proofMs ?? PROOF_MS;
  }

  /** True when a host has lost the lead and not had the time to prove itself since. */
  isOnProbation(id: string, nowMs: number): boolean {
    const loss = this.#losses.get(id);
    return loss !== undefined && nowMs - loss.lostMs < loss.proofMs;
  }

  toMemory(): { id: string; proofMs: number }[] {
    return [...this.#losses.values()].map(({ id, proofMs }) => ({ id, proofMs }));
  }

  fromMemory(losses: readonly { id: string; proofMs: number }[], nowMs: number): void {
    for (const { id, proofMs } of losses) this.#losses.set(id, { id, proofMs, lostMs: nowMs });
  }
}
