/**
 * Edges that are of no use for long are replaced by others.
 *
 * An edge without a fresh fit, or that is left out, while both of its ends take part, connects nothing:
 * a link that is cut, a route that lies. Every few seconds the edges that were dealt are held against
 * those that a round has used. One that was missing several times in a row is barred for a while, and
 * the next deal gives its ends other partners; a few at a time, so that the mesh is not turned over by a
 * network that is down altogether.
 *
 * It cannot see why an edge is of no use; after the while it may be dealt again.
 */
import { pairKey } from "./mesh.ts";
import type { RoundResult } from "./solve.ts";

/** Looks at the mesh, so far apart (ms); an edge that misses so many in a row is barred. */
const LOOK_EVERY_MS = 5_000;
const MISSES_TO_BAR = 3;
/** For how long an edge is barred (ms). */
const BARRED_MS = 600_000;
/** Of so many edges one is barred in a look at the most, and one in a small mesh. */
const EDGES_PER_BARRED = 40;

/** One for one domain. */
export class EdgeRepair {
  readonly #misses = new Map<string, number>();
  readonly #barredUntilMs = new Map<string, number>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** Pairs that must not be dealt now. */
  barred(nowMs: number): ReadonlySet<string> {
    for (const [key, untilMs] of this.#barredUntilMs) {
      if (nowMs >= untilMs) this.#barredUntilMs.delete(key);
    }
    return new Set(this.#barredUntilMs.keys());
  }

  /**
   * Looks at a round, when it is time to.
   *
   * @param takesPart whether a host could have used its edges: connected, reporting, not expelled
   * @returns pairs that are barred from now on
   */
  look(
    { edges }: RoundResult,
    dealt: ReadonlySet<string>,
    takesPart: (hostNumber: number) => boolean,
    nowMs: number,
  ): readonly string[] {
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return [];
    this.#lookedMs = nowMs;
    const used = new Set<string>();
    for (const [number, views] of edges) {
      for (const { hostNumber, expelled } of views) {
        if (!expelled && number < hostNumber) used.add(pairKey(number, hostNumber));
      }
    }
    const bad: string[] = [];
    for (const key of dealt) {
      const [a, b] = key.split("-").map(Number);
      if (used.has(key) || !takesPart(a) || !takesPart(b)) {
        this.#misses.delete(key);
        continue;
      }
      const misses = (this.#misses.get(key) ?? 0) + 1;
      this.#misses.set(key, misses);
      if (misses >= MISSES_TO_BAR) bad.push(key);
    }
    for (const key of this.#misses.keys()) if (!dealt.has(key)) this.#misses.delete(key);
    const most = Math.max(1, Math.floor(dealt.size / EDGES_PER_BARRED));
    const barred = bad.slice(0, most);
    for (const key of barred) this.#barredUntilMs.set(key, nowMs + BARRED_MS);
    return barred;
  }
}
