/**
 * Finds other hands on the system clock: changes that no own write explains.
 *
 * Problem: a time daemon or an operator bends or steps the clock without telling, and single batches of
 * readings are off for other reasons. Approach: when the mean innovation of three batches in a row is
 * far outside of its uncertainty, somebody else has changed the clock. The line holds up to the first
 * of them, and the change may lie within that one: the next line begins with the second.
 *
 * It cannot see: a change of rate below about 0.1 ppm at once, which is averaged over (an error of some
 * 10 ns), nor anything in batches without a narrow bracket.
 */
import type { Samples, Segment } from "./carry-segment.ts";

/** A change of the system clock that no own write explains, as far as the first triples show it. */
export interface ForeignBreak {
  /** The change lies between these two raw instants (ns). */
  readonly afterRawNs: bigint;
  readonly beforeRawNs: bigint;
  /** How far the clock jumped (ns, positive: forward); a slew of some ms looks like some us. */
  readonly stepNs: number;
  /** How much faster it runs since (ppb), and how well that is known by now. */
  readonly rateChangePpb: number;
  readonly rateSigmaPpb: number;
}

/** Batches in a row that must contradict the line before a foreign hand is believed. */
const SUSPECT_BATCHES = 3;

/** See the module head. */
export class CarrySuspicion {
  /** Number of the first suspicious sample; that of all samples when there is none. */
  from = 0;
  /** First sample of the second suspicious batch: the change may lie within the first. */
  cleanFrom = 0;
  #batches = 0;

  /** True when the newest batch is held back. */
  get stands(): boolean {
    return this.#batches > 0;
  }

  /** True when another hand is believed. */
  get isProven(): boolean {
    return this.#batches >= SUSPECT_BATCHES;
  }

  /** Nothing is suspected of any of the samples. */
  lift(samples: Samples): void {
    this.#batches = 0;
    this.from = samples.length;
  }

  /** Accepts the samples from `first` on, or holds them back. */
  judge(segment: Segment, samples: Samples, first: number): void {
    const verdict = segment.contradiction(samples, first);
    // No narrow bracket, no verdict: a suspicion that stands is neither confirmed nor lifted.
    const contradicts = verdict === undefined ? this.stands : verdict;
    if (!contradicts) {
      this.lift(samples);
      return;
    }
    if (this.#batches === 0) this.from = first;
    if (this.#batches === 1) this.cleanFrom = first;
    this.#batches++;
  }
}
