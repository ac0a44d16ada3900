/**
 * The delays of one direction of an edge: those of pure pairs and the others, each with its shape.
 *
 * A coded pair whose gap survived most likely met no queue (Geng et al., NSDI 2018), so its delays are
 * another draw than those of a pair that was torn apart. With a shape for each kind a likelihood uses
 * that by itself. Of a torn pair only the faster probe counts: in a queue the two wait together, and
 * counted twice they had 1.7 times the error at 90 % load.
 *
 * The floor is a low quantile of both kinds together.
 */
import { binsFor } from "./delay-bins.ts";
import { DelayShape } from "./delay-shape.ts";
import type { ProbeColumns } from "./pairs.ts";
import { grown } from "./quantile.ts";

/** Delays of one kind (ns); the first `length` count. */
export interface Delays {
  length: number;
  ns: Float64Array;
}

/** Delays of one direction by kind. */
export interface SortedDelays {
  readonly pure: Delays;
  readonly rest: Delays;
}

/** The course of an edge's offset about an instant. */
export interface Course {
  /** Owner time (ns since the window's base). */
  readonly midNs: number;
  /** Offset there (ns), its slope (ns per ns), and the slope's (per ns). */
  readonly offsetNs: number;
  readonly slope: number;
  readonly bend: number;
}

/** A pair is pure when its gap error is at most so many bins of its direction's delays. */
const PURE_BINS = 16;
/** Delays are early when they lie below the lower quantile by so many distances of the two. */
const EARLY_LOW = 0.01;
const EARLY_HIGH = 0.1;
const EARLY_DEPTH = 4;
/** A quantile of two shapes is searched for to this share of a bin, and of the weight. */
const QUANTILE_BINS = 1e-3;
const QUANTILE_SHARE = 1e-7;

let examples: Float64Array = new Float64Array(0);

/** Empty columns, to be filled again and again. */
export const newDelays = (): SortedDelays => ({
  pure: { length: 0, ns: new Float64Array(0) },
  rest: { length: 0, ns: new Float64Array(0) },
});

/** See the module head. */
export class DelayModel {
  readonly pure = new DelayShape();
  readonly rest = new DelayShape();
  /** Gap error up to which a pair is pure (ns); 0: nothing is known yet. */
  epsilonNs = 0;
  /** Delays below this are early (ns); found for one version of the shapes. */
  #earlyNs = 0;
  #earlyVersion = -1;

  /** Rises whenever what is known of the delays changes. */
  get version(): number {
    return this.pure.version + this.rest.version;
  }

  /** Forgets everything. */
  clear(): void {
    this.pure.clear();
    this.rest.clear();
    this.epsilonNs = 0;
  }

  /** Number of equally weighted probes that would tell as much. */
  get effectiveCount(): number {
    return this.pure.effectiveCount + this.rest.effectiveCount;
  }

  /** Sets what a pure pair is by delays of this direction. */
  setEpsilon({ pure, rest }: SortedDelays): void {
    const count = pure.length + rest.length;
    if (count === 0) return;
    examples = grown(examples, count);
    examples.set(pure.ns.subarray(0, pure.length));
    examples.set(rest.ns.subarray(0, rest.length), pure.length);
    this.epsilonNs = PURE_BINS * binsFor(examples.subarray(0, count).sort(), count).binNs;
  }

  /**
   * Takes delays in; about `memory` of each kind are remembered.
   *
   * @param twin the other direction's, probably alike; its delays are shorter by `apartNs`.
   */
  learn(delays: SortedDelays, memory: number, twin?: DelayModel, apartNs = 0): void {
    learn(this.pure, delays.pure, memory, twin?.pure, apartNs);
    learn(this.rest, delays.rest, memory, twin?.rest, apartNs);
  }

  /**
   * Share of delays that, `movedNs` longer, lie below all that was seen, but for strays (0 to 1). One
   * is always taken for a stray: of few probes a single early stamp is a large share.
   */
  earlyShare({ pure, rest }: SortedDelays, movedNs: number): number {
    if (this.#earlyVersion !== this.version) {
      this.#earlyVersion = this.version;
      const low = this.quantileNs(EARLY_LOW);
      this.#earlyNs = low - EARLY_DEPTH * (this.quantileNs(EARLY_HIGH) - low) - 1;
    }
    const limitNs = this.#earlyNs - movedNs;
    let early = 0;
    for (let i = 0; i < pure.length; i++) if (pure.ns[i] < limitNs) early++;
    for (let i = 0; i < rest.length; i++) if (rest.ns[i] < limitNs) early++;
    const count = pure.length + rest.length;
    return count > 0 ? Math.max(0, early - 1) / count : 0;
  }

  /** The q-quantile of all delays (ns). */
  quantileNs(q: number): number {
    const [a, b] = [this.pure, this.rest];
    if (a.weight === 0 || b.weight === 0) return (a.weight > 0 ? a : b).quantileNs(q);
    const [atA, atB] = [a.quantileNs(q), b.quantileNs(q)];
    return this.#quantileBetween(Math.min(atA, atB), Math.max(atA, atB), q);
  }

  /**
   * The q-quantile of all delays, that of one kind being `lowNs` and that of the other `highNs`.
   *
   * The weight is straight within a bin: false position hits it at once when both ends are in one. Where
   * a step of it has not halved the span, the next goes to the middle (as in T. Dekker's method, 1969).
   */
  #quantileBetween(lowNs: number, highNs: number, q: number): number {
    const [a, b] = [this.pure, this.rest];
    const weight = a.weight + b.weight;
    const excessAt = (ns: number) => a.weightBelow(ns) + b.weightBelow(ns) - q * weight;
    const fineNs = QUANTILE_BINS * Math.min(a.binNs, b.binNs);
    let low = excessAt(lowNs);
    let high = excessAt(highNs);
    let halved = true;
    while (highNs - lowNs > fineNs && low < 0 && high > 0) {
      const spanNs = highNs - lowNs;
      const atNs = lowNs + spanNs * (halved ? low / (low - high) : 0.5);
      const excess = excessAt(atNs);
      if (Math.abs(excess) <= QUANTILE_SHARE * weight) return atNs;
      if (excess < 0) [lowNs, low] = [atNs, excess];
      else [highNs, high] = [atNs, excess];
      halved = !halved || highNs - lowNs <= spanNs / 2;
    }
    return low >= 0 ? lowNs : high <= 0 ? highNs : (lowNs + highNs) / 2;
  }

  /** Density of all delays at `delayNs` (share of probes per ns). */
  densityAt(delayNs: number): number {
    const [a, b] = [this.pure, this.rest];
    const weight = a.weight + b.weight;
    return (a.weight * a.densityAt(delayNs) + b.weight * b.densityAt(delayNs)) / weight;
  }
}

/**
 * Fills `out` with the delays of the probes after number `newest`, against a course.
 *
 * @param sign 1: from the owner, -1: to the owner; `xNs` is the stamp on the owner's clock.
 */
export function sortDelays(
  columns: ProbeColumns,
  xNs: Float64Array,
  newest: number,
  course: Course,
  sign: 1 | -1,
  epsilonNs: number,
  out: SortedDelays,
): void {
  const { probe, txNs, rxNs, length } = columns;
  const { pure, rest } = out;
  const first = firstAfter(columns, newest);
  pure.ns = grown(pure.ns, length - first);
  rest.ns = grown(rest.ns, length - first);
  pure.length = 0;
  rest.length = 0;
  let beforeNs = Number.NaN;
  for (let i = first; i < length; i++) {
    const dx = xNs[i] - course.midNs;
    const offsetNs = course.offsetNs + (course.slope + (course.bend * dx) / 2) * dx;
    const delayNs = rxNs[i] - txNs[i] - sign * offsetNs;
    if (!Number.isFinite(delayNs)) continue;
    rest.ns[rest.length++] = delayNs;
    const isSecond = i > first && probe[i] % 2 === 1 && probe[i - 1] === probe[i] - 1;
    if (isSecond && Math.abs(delayNs - beforeNs) <= epsilonNs) {
      rest.length -= 2;
      pure.ns[pure.length++] = beforeNs;
      pure.ns[pure.length++] = delayNs;
    } else if (isSecond) {
      rest.length--;
      rest.ns[rest.length - 1] = Math.min(beforeNs, delayNs);
    }
    beforeNs = delayNs;
  }
}

/** Index of the first probe after number `newest`. */
export function firstAfter({ probe, length }: ProbeColumns, newest: number): number {
  let first = length;
  while (first > 0 && probe[first - 1] > newest) first--;
  return first;
}

function learn(
  shape: DelayShape,
  { length, ns }: Delays,
  memory: number,
  twin: DelayShape | undefined,
  apartNs: number,
): void {
  if (length === 0) return;
  if (!shape.isLaid) {
    examples = grown(examples, length);
    examples.set(ns.subarray(0, length));
    shape.lay(examples.subarray(0, length).sort(), length);
  }
  shape.fade(Math.max(0.5, 1 - length / memory));
  for (let i = 0; i < length; i++) shape.add(ns[i]);
  shape.refresh(twin, apartNs);
}
