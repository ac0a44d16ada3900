/**
 * The triples of the piece that grows, and how its line is fitted to them.
 *
 * Problem: a piece gets some ten triples at a time and must serve at once; when it is ended, those that
 * came after the end belong to the next. Approach: middle, difference and half width of each triple
 * relative to the piece's zeros, in columns that move along when the next piece opens. A piece reaches
 * a little beyond its last triple, but not beyond the last narrow one while newer triples are in doubt.
 *
 * It cannot see: what changed the clock. It fits as many triples as it is told.
 */
import { relativeTo, SECOND_NS } from "@ttcs/units";
import { unknownPrior } from "./carry-prior.ts";
import {
  EXTRAPOLATION_S,
  type LinePrior,
  Samples,
  SEGMENT_CAPACITY,
  type Segment,
} from "./carry-segment.ts";

/** Simultaneous readings: a system reading bracketed by two raw ones (ns each). */
export interface Triples {
  readonly length: number;
  readonly rawBeforeNs: BigInt64Array;
  readonly systemNs: BigInt64Array;
  readonly rawAfterNs: BigInt64Array;
}

/** Triples that are taken in together, at the most. */
export const SLICE = 64;

// Reused by all carries: a slice relative to the zeros of a piece.
const beforeNs = new Float64Array(SLICE);
const systemNs = new Float64Array(SLICE);
const afterNs = new Float64Array(SLICE);

/** See the module head. Its piece is the newest of the ring. */
export class CarryGrowth {
  readonly samples = new Samples();
  readonly #prior: LinePrior = unknownPrior();

  /** Instant of the last triple (s from the piece's zero), 0 without one. */
  get lastS(): number {
    const { xS, length } = this.samples;
    return length > 0 ? xS[length - 1] : 0;
  }

  /** True when the columns hold no slice of `count` more. */
  isFullFor(count: number): boolean {
    return this.samples.length + count > SEGMENT_CAPACITY;
  }

  /** Takes in the triples `from` to `to` that are not in the piece's gap. */
  append(segment: Segment, t: Triples, from: number, to: number): void {
    const { samples } = this;
    const count = to - from;
    relativeTo(segment.originRawNs, t.rawBeforeNs.subarray(from, to), count, beforeNs);
    relativeTo(segment.originSystemNs, t.systemNs.subarray(from, to), count, systemNs);
    relativeTo(segment.originRawNs, t.rawAfterNs.subarray(from, to), count, afterNs);
    for (let i = 0; i < count; i++) {
      const middleNs = (beforeNs[i] + afterNs[i]) / 2;
      const halfNs = (afterNs[i] - beforeNs[i]) / 2;
      if (middleNs < segment.startS * SECOND_NS || halfNs < 0) continue;
      const at = samples.length++;
      samples.xS[at] = middleNs / SECOND_NS;
      samples.yNs[at] = systemNs[i] - middleNs;
      samples.halfNs[at] = halfNs;
    }
  }

  /** Number of the first sample at `xS` or later, of those from `from` on. */
  firstFrom(xS: number, from = 0): number {
    const { samples } = this;
    let first = from;
    while (first < samples.length && samples.xS[first] < xS) first++;
    return first;
  }

  /** Refits the piece to its first `count` samples and sets how far it reaches. */
  refit(segment: Segment, count: number): void {
    const { samples } = this;
    segment.fit(samples, count, this.#prior);
    if (count < samples.length) {
      segment.setEnd(this.vouchedS(segment, count));
      return;
    }
    const lastS = count > 0 ? samples.xS[count - 1] : segment.startS;
    segment.setEnd(lastS + EXTRAPOLATION_S);
  }

  /** Where the piece holds for certain, of its first `count` samples: a wide one says nothing. */
  vouchedS(segment: Segment, count: number): number {
    const { xS, halfNs } = this.samples;
    let last = count - 1;
    while (last >= 0 && 2 * halfNs[last] > segment.widthLimitNs) last--;
    return last >= 0 ? xS[last] : segment.startS;
  }

  /** From here on the samples after number `from` are another piece's, whose zeros lie so far away. */
  moveOn(from: number, moveNs: number, wholeNs: number, prior: LinePrior): void {
    const { samples } = this;
    for (let i = from; i < samples.length; i++) {
      samples.xS[i - from] = samples.xS[i] - moveNs / SECOND_NS;
      samples.yNs[i - from] = samples.yNs[i] - wholeNs;
      samples.halfNs[i - from] = samples.halfNs[i];
    }
    samples.length = Math.max(0, samples.length - from);
    this.expect(prior);
    this.#prior.valueNs = prior.valueNs - wholeNs;
  }

  /** What is known of the piece before its first triple. */
  expect(prior: LinePrior): void {
    Object.assign(this.#prior, prior);
  }
}
