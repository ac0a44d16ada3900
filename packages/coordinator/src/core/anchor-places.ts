/**
 * Where the anchors have every host, before anything is solved.
 *
 * Problem: who contradicts the mesh can only be told from a place for every host that liars cannot
 * move, and least squares, however robust, begins with everybody's word. Approach: anchors are placed
 * among themselves, from the reference on; then every other host where most of its edges to anchors
 * agree (`IntervalBallot`). Each edge votes with the interval that its probes guarantee, so an honest
 * edge votes for the truth whatever its path is like. With four anchors among its partners a host is
 * placed right while one of them lies, and the anchors themselves while fewer than half do.
 *
 * Where no anchors are known, or a host sees fewer than three of them, all hosts that have a place vote.
 *
 * It cannot see: a host that lies to all anchors alike. It fakes its own clock, and moves nobody.
 */
import { IntervalBallot } from "@ttcs/estimator";
import type { Alignment, MeshRows } from "./alignment.ts";

/** Fewer votes than this cannot outvote a wrong one. */
const VOTES_MIN = 3;
/** Walks over the anchors: a place is right once most of its neighbours' are. */
const WALKS = 4;
/** By so much the reference's own vote counts more among anchors: it is what all are placed against. */
const REFERENCE_WEIGHT = 1.5;

/** Places of all rows; the columns are reused. */
export class AnchorPlaces {
  /** Beyond the alignment (ns); NaN: nobody knows. */
  placeNs = new Float64Array(0);
  /** Half of the region in which most agree (ns). */
  halfNs = new Float64Array(0);
  /** 1: the row is an anchor that votes. */
  isAnchor = new Uint8Array(0);
  anchorCount = 0;
  readonly #ballot = new IntervalBallot();

  /**
   * Places all hosts of a round.
   *
   * @param anchors host numbers; undefined: none are known
   * @param isOut hosts whose word does not count
   */
  place(
    aligned: Alignment,
    mesh: MeshRows,
    anchors: ReadonlySet<number> | undefined,
    isOut: (hostNumber: number) => boolean,
  ): void {
    const { hosts } = aligned;
    this.#begin(hosts, anchors, isOut);
    for (let walk = 0; walk < WALKS; walk++) {
      for (let row = 1; row < hosts.length; row++) {
        if (this.isAnchor[row] === 1) this.#vote(aligned, mesh, row, true);
      }
    }
    const wanting: number[] = [];
    for (let row = 1; row < hosts.length; row++) {
      if (this.isAnchor[row] === 1) continue;
      if (!this.#vote(aligned, mesh, row, true)) wanting.push(row);
    }
    for (const row of wanting) this.#vote(aligned, mesh, row, false);
  }

  #begin(
    hosts: readonly number[],
    anchors: ReadonlySet<number> | undefined,
    isOut: (hostNumber: number) => boolean,
  ): void {
    if (this.placeNs.length !== hosts.length) {
      this.placeNs = new Float64Array(hosts.length);
      this.halfNs = new Float64Array(hosts.length);
      this.isAnchor = new Uint8Array(hosts.length);
    }
    this.placeNs.fill(Number.NaN);
    this.placeNs[0] = 0;
    this.halfNs.fill(0);
    const mark = (among: ReadonlySet<number> | undefined) => {
      this.anchorCount = 0;
      hosts.forEach((number, row) => {
        const votes = row === 0 || ((among?.has(number) ?? true) && !isOut(number));
        this.isAnchor[row] = votes ? 1 : 0;
        if (votes) this.anchorCount++;
      });
    };
    mark(anchors);
    // Of too few anchors nothing can be told: then everybody is a witness.
    if (anchors && this.anchorCount < VOTES_MIN) mark(undefined);
  }

  /** Places a row by its edges to anchors, or to all that have a place; false: too few of them. */
  #vote(aligned: Alignment, mesh: MeshRows, row: number, byAnchors: boolean): boolean {
    const { start, edge, other } = mesh.incidence;
    const { surplusNs, belowBoundNs, aboveBoundNs, from } = aligned;
    const ballot = this.#ballot;
    ballot.clear();
    for (let i = start[row]; i < start[row + 1]; i++) {
      const there = other[i];
      const hereNs = this.placeNs[there];
      if (Number.isNaN(hereNs) || (byAnchors && this.isAnchor[there] === 0)) continue;
      const e = edge[i];
      const weight = there === 0 && byAnchors ? REFERENCE_WEIGHT : 1;
      const forward = from[e] !== row;
      const atNs = forward ? hereNs + surplusNs[e] : hereNs - surplusNs[e];
      const belowNs = forward ? belowBoundNs[e] : aboveBoundNs[e];
      const aboveNs = forward ? aboveBoundNs[e] : belowBoundNs[e];
      // Who is placed by long detours alone is worth no more than these.
      const vagueNs = Math.max(0, this.halfNs[there] - (belowNs + aboveNs) / 2);
      ballot.add(atNs - belowNs - vagueNs, atNs, atNs + aboveNs + vagueNs, weight);
    }
    if (ballot.count === 0) return false;
    const { valueNs, lowNs, highNs } = ballot.vote();
    this.placeNs[row] = valueNs;
    this.halfNs[row] = (highNs - lowNs) / 2;
    return ballot.count >= VOTES_MIN || !byAnchors || this.isAnchor[row] === 1;
  }
}
