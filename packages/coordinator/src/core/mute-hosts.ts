/**
 * Hosts that have a stream and do not report: no round waits for them.
 *
 * Problem: a round is solved when all have reported, or after a deadline. One agent that hangs would
 * make every round of the whole domain as late as the deadline, for as long as its stream stands.
 * Approach: whoever has not reported for a while is not counted, until he reports again. Newcomers are
 * given the same time.
 */
import type { Host } from "./host.ts";

/** A host is waited for until it has not reported for so long (ms): four rounds. */
const WAITED_FOR_MS = 2_000;

/** See the module head. */
export class MuteHosts {
  /** Since when each was seen without a report of late (ms). */
  readonly #lackingSinceMs = new Map<number, number>();
  readonly #mute = new Set<number>();

  /** How many connected hosts are not waited for. */
  get count(): number {
    return this.#mute.size;
  }

  /** The host has reported, or is gone. */
  spoke({ number }: Host): void {
    if (this.#lackingSinceMs.size === 0) return;
    this.#lackingSinceMs.delete(number);
    this.#mute.delete(number);
  }

  /** Looks at all connected hosts; call once a round. */
  look(connected: readonly Host[], nowMs: number): void {
    for (const { number, reportedAtMs } of connected) {
      if (nowMs - reportedAtMs < WAITED_FOR_MS) continue;
      const sinceMs = this.#lackingSinceMs.get(number);
      if (sinceMs === undefined) this.#lackingSinceMs.set(number, nowMs);
      else if (nowMs - sinceMs >= WAITED_FOR_MS) this.#mute.add(number);
    }
  }
}
