/**
 * Tells a report that comes late for the round just solved from one that begins the next.
 *
 * Problem: shortly after a solve, reports are those of stragglers, and no round may be solved twice. But
 * a solve may itself be late, because the machine was busy; then the reports of the next round follow
 * close behind, and taking them for stragglers would lose that round for everybody.
 *
 * Approach: whoever has reported for the solved round and reports again speaks of the next one. When
 * more than half of the hosts do, it has begun; a few who talk too much cannot bring it about.
 */

/** See the module head. */
export class RoundTurn {
  /** Who has reported for the solved round, in time or late. */
  #said = new Set<number>();
  /** Who has reported again since. */
  #ahead = new Set<number>();

  /** A round was solved with the reports of these hosts. */
  solved(reported: Iterable<number>): void {
    this.#said = new Set(reported);
    this.#ahead = new Set();
  }

  /**
   * A report came soon after the solve.
   *
   * @returns the hosts whose reports begin the next round; undefined: it has not begun
   */
  takeEarly(host: number, hostCount: number): ReadonlySet<number> | undefined {
    if (this.#said.has(host)) this.#ahead.add(host);
    else this.#said.add(host);
    return 2 * this.#ahead.size > hostCount ? this.#ahead : undefined;
  }
}
