/**
 * Hosts that have a stream and do not report: no round waits for them.
 *
 * Problem: a round is solved when all have reported, or after a deadline. One agent that hangs would
 * make every round of the whole domain as late as the deadline, for as long as its stream stands.
 * Approach: whoever has not reported for a while is not counted, until he reports again. Nor is a
 * newcomer to a domain that runs, until he reports for the first time.
 */
import type { Host } from "./host.ts";

/** Whoever has reported within this is waited for (ms): two rounds. */
const RECENT_MS = 1_000;
/** Whoever has not is waited for so much longer (ms): when a domain begins, nobody has reported yet. */
const GRACE_MS = 1_000;

/** See the module head. */
export class MuteHosts {
  /** Since when each was seen without a report of late (ms). */
  readonly #lackingSinceMs = new Map<number, number>();
  readonly #mute = new Set<number>();

  /** How many connected hosts are not waited for. */
  get count(): number {
    return this.#mute.size;
  }

  /** The host has come to a domain that runs. */
  joined({ number }: Host): void {
    this.#mute.add(number);
  }

  /** The host has reported, or is gone. */
  spoke({ number }: Host): void {
    if (this.#lackingSinceMs.size === 0 && this.#mute.size === 0) return;
    this.#lackingSinceMs.delete(number);
    this.#mute.delete(number);
  }

  /** Looks at all connected hosts; call once a round. */
  look(connected: readonly Host[], nowMs: number): void {
    for (const { number, reportedAtMs } of connected) {
      if (nowMs - reportedAtMs < RECENT_MS) continue;
      const sinceMs = this.#lackingSinceMs.get(number);
      if (sinceMs === undefined) this.#lackingSinceMs.set(number, nowMs);
      else if (nowMs - sinceMs >= GRACE_MS) this.#mute.add(number);
    }
  }
}
