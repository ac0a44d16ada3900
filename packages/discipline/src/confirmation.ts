/**
 * When a jump is the way back: the anchors themselves say that the line in force is wrong.
 *
 * Problem: while all traffic of a host is late one way, its line is honestly off by half of that, and
 * when the delay ends the way back may be longer than any jump that is obeyed. A host that refuses it
 * for ever is as wrong as one that obeys a lie.
 *
 * Approach: such a line is obeyed, by slew, when more than half of the anchors have confirmed it for
 * `CONFIRM_S` without a break. An anchor confirms when it vouches for its own line (it steers by it,
 * having been LOCKED, within all limits), finds the new line where its own is, and the line in force
 * elsewhere. A coordinator that lies to one host is contradicted by the others; one that lies to all is
 * refused by all, and then nobody vouches.
 *
 * Cannot see: a majority of anchors that lie in step with the coordinator.
 */
import { diffNs, type RawNanos, SECOND_NS } from "@ttcs/units";
import { type AnchorSample, compareWithAnchors } from "./anchor-check.ts";
import type { DomainLine } from "./domain-line.ts";

/** Longer than a window: what is measured by then has nothing left of what was before (s). */
const CONFIRM_S = 3;
/** Corrections come twice a second; after a longer silence it is counted from the start (s). */
const SILENCE_S = 1.6;
/** One voice is no majority. */
const VOICES_MIN = 2;

/** A line that came in, and is within `boundNs` by its own word. */
export interface ProposedLine {
  readonly line: DomainLine;
  readonly boundNs: number;
}

/** True when most of the anchors vouch for the line that came in, and against the one in force. */
export function isConfirmed(
  { line, boundNs }: ProposedLine,
  inForce: DomainLine,
  samples: readonly AnchorSample[],
): boolean {
  const voices = samples.filter(
    (sample) =>
      sample.vouched &&
      !compareWithAnchors(line, boundNs, [sample]).contradicts &&
      compareWithAnchors(inForce, 0, [sample]).contradicts,
  ).length;
  return voices >= VOICES_MIN && voices > samples.length / 2;
}

/** For how long lines that came in have been confirmed. */
export class Confirmation {
  #sinceRawNs: RawNanos | undefined;
  #lastRawNs: RawNanos | undefined;

  /** Takes note of a line that is refused for its jump; true: it is to be obeyed all the same. */
  hears(confirmed: boolean, nowRawNs: RawNanos): boolean {
    const last = this.#lastRawNs;
    this.#lastRawNs = nowRawNs;
    if (!confirmed) this.#sinceRawNs = undefined;
    else if (last === undefined || diffNs(nowRawNs, last) > SILENCE_S * SECOND_NS) {
      this.#sinceRawNs = nowRawNs;
    } else this.#sinceRawNs ??= nowRawNs;
    const since = this.#sinceRawNs;
    return since !== undefined && diffNs(nowRawNs, since) >= CONFIRM_S * SECOND_NS;
  }

  /** A line was obeyed, or refused for something else. */
  reset(): void {
    this.#sinceRawNs = undefined;
    this.#lastRawNs = undefined;
  }
}
