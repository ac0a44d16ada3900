/**
 * Domain time on a host's raw clock: a piecewise line.
 *
 * The coordinator sends the segments ahead of time, so that a change of rate takes effect at the
 * same domain instant everywhere. Each segment holds from its raw instant on, the last one until
 * further notice. Before the first segment the first one is carried backwards.
 *
 * An instant near now is two bigints and a small number: whole nanoseconds in the bigint, the rest
 * in `fractionNs`, so that no precision is lost at 1.8e18 ns.
 */
import { addNs, assert, diffNs, type RawNanos, type UnixNanos, unixNanos } from "@ttcs/units";

/** One stretch of the line. */
export interface DomainSegment {
  /** Holds from here on (raw ns). */
  readonly rawNs: RawNanos;
  /** Domain time at `rawNs`: whole nanoseconds (Unix ns) and the rest (0 to 1 ns). */
  readonly domainUnixNs: UnixNanos;
  readonly domainFractionNs: number;
  /** Rate of domain time against raw, minus one (ppb). */
  readonly freqPpb: number;
}

/** An instant of domain time, to a fraction of a nanosecond. */
export interface DomainInstant {
  readonly unixNs: UnixNanos;
  /** 0 to 1 ns, to be added. */
  readonly fractionNs: number;
}

/** Domain time as a function of raw time. Immutable; a correction brings a new one. */
export class DomainLine {
  readonly #segments: readonly DomainSegment[];

  /** @param segments at least one, in rising order of `rawNs`. */
  constructor(segments: readonly DomainSegment[]) {
    assert(segments.length > 0, "a domain line has a segment");
    for (let i = 1; i < segments.length; i++) {
      assert(segments[i].rawNs > segments[i - 1].rawNs, "domain segments rise in raw time");
    }
    this.#segments = segments;
  }

  /** The segment that holds until further notice. */
  get last(): DomainSegment {
    return this.#segments[this.#segments.length - 1];
  }

  get segments(): readonly DomainSegment[] {
    return this.#segments;
  }

  /** Domain time at a raw instant. */
  at(rawNs: RawNanos): DomainInstant {
    const s = this.#segmentAt(rawNs);
    const elapsedNs = diffNs(rawNs, s.rawNs);
    const extraNs = s.domainFractionNs + elapsedNs * s.freqPpb * 1e-9;
    const wholeNs = Math.floor(extraNs);
    return {
      unixNs: unixNanos(s.domainUnixNs + (rawNs - s.rawNs) + BigInt(wholeNs)),
      fractionNs: extraNs - wholeNs,
    };
  }

  /** Mean rate of domain time against raw from an instant on, over `durationNs`, minus one (ppb). */
  meanFreqPpb(fromRawNs: RawNanos, durationNs: number): number {
    const from = this.at(fromRawNs);
    const to = this.at(addNs(fromRawNs, durationNs));
    const gainedNs = Number(to.unixNs - from.unixNs) - durationNs;
    return ((gainedNs + to.fractionNs - from.fractionNs) / durationNs) * 1e9;
  }

  /** The raw instant at which domain time shows `domainNs`, to the nanosecond. */
  rawAt(domainNs: UnixNanos): RawNanos {
    let s = this.#segments[0];
    for (const next of this.#segments) if (next.domainUnixNs <= domainNs) s = next;
    const elapsedNs = Number(domainNs - s.domainUnixNs) - s.domainFractionNs;
    const rate = 1 + s.freqPpb * 1e-9;
    // x / (1 + f) = x - x f / (1 + f): keeps the large part in whole nanoseconds.
    const shortNs = (elapsedNs * s.freqPpb * 1e-9 + s.domainFractionNs) / rate;
    return (s.rawNs + (domainNs - s.domainUnixNs) - BigInt(Math.round(shortNs))) as RawNanos;
  }

  #segmentAt(rawNs: RawNanos): DomainSegment {
    const segments = this.#segments;
    let i = segments.length - 1;
    while (i > 0 && segments[i].rawNs > rawNs) i--;
    return segments[i];
  }
}
