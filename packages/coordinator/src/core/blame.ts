/**
 * Which of its two ends is to blame for an edge that is impossible.
 *
 * Problem: an impossible edge accuses both ends alike, an honest host may have many liars among its
 * partners, and a liar may be seen through on few of its edges. Approach: every host has a rate, the
 * share of its edges that it spoils, and an edge is spoiled by either end or both. Blame is shared
 * between the ends in proportion to their rates, rates follow from the blame, and so on: the EM
 * algorithm (Dempster, Laird and Rubin, J. R. Stat. Soc. B 39(1), 1977) for a noisy-or of two causes.
 * An edge between a host that all others contradict as well and one that only liars contradict comes to
 * rest on the first.
 *
 * It cannot see: which of two hosts lies that contradict nobody but each other; each gets a half.
 */
import type { Alignment } from "./alignment.ts";

/** Blame comes to rest in fewer rounds than this, except where it is undecided. */
const TURNS = 30;

/** Shares the blame of one round; its columns are reused. */
export class Blame {
  /** Impossible edges that a row is blamed for (0 and more, not whole). */
  edges = new Float64Array(0);
  /** The same as a share of all its edges (0 to 1). */
  rate = new Float64Array(0);
  #edgeCount = new Float64Array(0);

  /**
   * @param bad 1 for an impossible edge, by edge
   * @param outRows rows that are out already: they bear the blame for all their edges
   */
  share(
    { hosts, from, to, edgeCount }: Pick<Alignment, "hosts" | "from" | "to" | "edgeCount">,
    bad: Uint8Array,
    outRows: readonly number[],
  ): void {
    const rows = hosts.length;
    this.#begin(rows);
    const isOut = new Uint8Array(rows);
    for (const row of outRows) isOut[row] = 1;
    const open: number[] = [];
    for (let e = 0; e < edgeCount; e++) {
      if (isOut[from[e]] + isOut[to[e]] > 0) continue;
      this.#edgeCount[from[e]]++;
      this.#edgeCount[to[e]]++;
      if (bad[e] === 1) open.push(e);
    }
    // At first both ends are suspected alike.
    this.rate.fill(1);
    for (let turn = 0; turn < TURNS; turn++) this.#turn(open, from, to);
  }

  #turn(open: readonly number[], from: Int32Array, to: Int32Array): void {
    const { edges, rate } = this;
    edges.fill(0);
    for (const e of open) {
      const a = rate[from[e]];
      const b = rate[to[e]];
      const share = a + b > 0 ? a / (a + b) : 0.5;
      edges[from[e]] += share;
      edges[to[e]] += 1 - share;
    }
    for (let row = 0; row < rate.length; row++) {
      rate[row] = this.#edgeCount[row] > 0 ? edges[row] / this.#edgeCount[row] : 0;
    }
  }

  #begin(rows: number): void {
    if (this.rate.length === rows) {
      this.#edgeCount.fill(0);
      return;
    }
    this.edges = new Float64Array(rows);
    this.rate = new Float64Array(rows);
    this.#edgeCount = new Float64Array(rows);
  }
}
