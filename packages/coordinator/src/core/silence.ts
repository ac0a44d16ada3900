/**
 * Who has not been told anything for a while: an agent takes a stream that says nothing for a dead one,
 * so a host that gets no correction is told that there is none, once a second.
 */
import type { Host } from "./host.ts";

/** A host that was told nothing for this long is told something (ms). */
const SILENCE_MS = 1_000;

/** See the module head. */
export class Silence {
  readonly #toldMs = new Map<number, number>();
  /** Before this nobody can have been told nothing for too long (ms): times only go on. */
  #earliestMs = -Infinity;

  /** The host was told something. */
  broke(host: Host, nowMs: number): void {
    this.#toldMs.set(host.number, nowMs);
  }

  /** False when nobody is due yet: then there is no need to look at all hosts. */
  mayBeOver(nowMs: number): boolean {
    return nowMs >= this.#earliestMs;
  }

  /** Those of `hosts` that were told nothing for too long; they count as told from now on. */
  over(hosts: readonly Host[], nowMs: number): Host[] {
    const silent = hosts.filter((h) => !(nowMs - (this.#toldMs.get(h.number) ?? 0) < SILENCE_MS));
    for (const host of silent) this.broke(host, nowMs);
    this.#earliestMs = nowMs + SILENCE_MS;
    for (const { number } of hosts) {
      this.#earliestMs = Math.min(this.#earliestMs, this.#toldMs.get(number)! + SILENCE_MS);
    }
    return silent;
  }

  forget(host: Host): void {
    this.#toldMs.delete(host.number);
  }
}
