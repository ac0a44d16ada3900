/**
 * Once LOCKED, a clock is stepped for one reason only: to undo what another hand has done to it.
 *
 * The raw clock must have seen that deed (or the edges to anchors that the raw clock itself jumped), the
 * way back must be as long as the way there, and the edges must confirm the line. A hand that does it
 * again within ten minutes is slewed against, not stepped: two programs that step a clock back and forth
 * are worse than one that is wrong and says so.
 */
import { LOCK_ROUNDS, STEP_THRESHOLD_NS } from "@ttcs/discipline";
import { diffNs, type RawNanos, SECOND_NS } from "@ttcs/units";
import type { Obedience } from "./obedience.ts";

const EVERY_NS = 600 * SECOND_NS;
/** What is stepped back is what was seen to be stepped, give or take this share. */
const SHARE = 0.05;

/** See the module head. */
export class StepBack {
  /** What others have added to system minus domain (ns), until the clock is back. */
  #movedNs = 0;
  #takenRawNs: RawNanos | undefined;

  /** Another hand has moved system minus domain by so much (ns). */
  moved(byNs: number): void {
    this.#movedNs += byNs;
  }

  /** The clock is where it should be. */
  settled(): void {
    this.#movedNs = 0;
  }

  /** The clock is about to be stepped back. */
  taken(nowRawNs: RawNanos): void {
    this.#takenRawNs = nowRawNs;
    this.#movedNs = 0;
  }

  /** True when an offset of system minus domain (ns) may be undone by a step. */
  allows(
    offsetNs: number,
    { trustedRounds, anchors }: Pick<Obedience, "trustedRounds" | "anchors">,
    nowRawNs: RawNanos,
  ): boolean {
    const movedNs = this.#movedNs;
    if (Math.abs(movedNs) <= STEP_THRESHOLD_NS || trustedRounds < LOCK_ROUNDS) return false;
    if (anchors.compared === 0 || anchors.contradicts) return false;
    const before = this.#takenRawNs;
    if (before !== undefined && diffNs(nowRawNs, before) < EVERY_NS) return false;
    const toleranceNs = Math.max(STEP_THRESHOLD_NS, SHARE * Math.abs(movedNs));
    return Math.abs(offsetNs - movedNs) <= toleranceNs;
  }
}
