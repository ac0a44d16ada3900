/**
 * Domain time on the reference's raw clock: domain = raw (1 + f) + c, piecewise.
 *
 * The domain begins at the reference's system clock and follows it smoothly. f is the reference's
 * own rate (system against raw) plus a pull that removes what is left between the two: at most
 * 1 ppm, or 10 ppm while more than 100 us are left. f changes by at most 25 ppb a round and is
 * decided two rounds ahead, so every agent knows the new rate before it begins and none is caught
 * out. Never a step after the start.
 *
 * A reference whose system clock our own discipline writes is no source: following it would follow
 * ourselves. Then f stays as it is.
 */
import { DOMAIN_FREQ_RATE_PPB_PER_S, DomainLine, type DomainSegment } from "@ttcs/discipline";
import type { SourceLine } from "@ttcs/protocol";
import {
  type RawNanos,
  ROUND_NS,
  rawNanos,
  SECOND_NS,
  type UnixNanos,
  unixNanos,
} from "@ttcs/units";

/** Pull towards the reference's system clock (ppb), near and far. */
const PULL_LIMIT_PPB = 1_000;
const FAR_PULL_LIMIT_PPB = 10_000;
/** More than this is far (ns). */
const FAR_NS = 100_000;
/** Time constant of the pull (s): slow against the reference's own noise. */
const PULL_TIME_S = 100;
/** Largest change of f from one round to the next (ppb): agents that are cut off count on it. */
const FREQ_CHANGE_LIMIT_PPB = (DOMAIN_FREQ_RATE_PPB_PER_S * ROUND_NS) / SECOND_NS;
/** Share of a new reading of the reference's rate that is believed each round. */
const RATE_GAIN = 0.1;
/** The rate is decided this many rounds ahead. */
const AHEAD_ROUNDS = 2;
/** Segments kept: the present one, those ahead, and a few past for late readers. */
const SEGMENTS_KEPT = 8;

/** The scale of one domain. */
export class DomainScale {
  #segments: DomainSegment[];
  #ratePpb: number;
  /** Domain minus the reference's system clock (ns). */
  #pullNs = 0;

  /** @param segments domain time on the reference's raw clock as known so far, at least one */
  constructor(segments: readonly DomainSegment[]) {
    this.#segments = [...segments];
    this.#ratePpb = segments[segments.length - 1].freqPpb;
  }

  /** Domain time begins where the reference's system clock stands. */
  static from(source: SourceLine): DomainScale {
    const start = {
      rawNs: rawNanos(source.rawNs),
      domainUnixNs: unixNanos(source.systemUnixNs),
      domainFractionNs: 0,
      freqPpb: source.freqPpb,
    };
    return new DomainScale([start]);
  }

  /** Domain minus the reference's system clock (ns, positive: the domain is ahead). */
  get pullNs(): number {
    return this.#pullNs;
  }

  /** The segments from the one that holds at `fromRawNs` on. */
  segmentsFrom(fromRawNs: RawNanos): DomainSegment[] {
    let first = 0;
    for (let i = 1; i < this.#segments.length; i++) {
      if (this.#segments[i].rawNs <= fromRawNs) first = i;
    }
    return this.#segments.slice(first);
  }

  /** The whole line that is known. */
  line(): DomainLine {
    return new DomainLine(this.#segments);
  }

  /**
   * Decides the rate ahead. Call once per round.
   *
   * @param nowRawNs the reference's raw clock at the close of the round's window
   * @param source the reference's line of this round; absent: the rate stays
   */
  advance(nowRawNs: RawNanos, source: SourceLine | undefined): void {
    const follow = source !== undefined && !source.steered;
    if (follow) this.#observe(source);
    const line = this.line();
    const now = line.at(nowRawNs).unixNs;
    const round = BigInt(ROUND_NS);
    const next = unixNanos((now / round + 1n + BigInt(AHEAD_ROUNDS)) * round);
    const startRawNs = line.rawAt(next);
    if (startRawNs <= line.last.rawNs) return;
    const freqPpb = follow ? this.#nextFreqPpb(line.last.freqPpb) : line.last.freqPpb;
    const at = line.at(startRawNs);
    this.#segments.push({
      rawNs: startRawNs,
      domainUnixNs: at.unixNs,
      domainFractionNs: at.fractionNs,
      freqPpb,
    });
    if (this.#segments.length > SEGMENTS_KEPT) this.#segments.shift();
  }

  #observe(source: SourceLine): void {
    this.#ratePpb += RATE_GAIN * (source.freqPpb - this.#ratePpb);
    const domain = this.line().at(rawNanos(source.rawNs));
    this.#pullNs = Number((domain.unixNs as bigint) - source.systemUnixNs) + domain.fractionNs;
  }

  #nextFreqPpb(nowPpb: number): number {
    const limitPpb = Math.abs(this.#pullNs) > FAR_NS ? FAR_PULL_LIMIT_PPB : PULL_LIMIT_PPB;
    const wantedPull = -this.#pullNs / PULL_TIME_S;
    const wanted = this.#ratePpb + Math.max(-limitPpb, Math.min(limitPpb, wantedPull));
    const change = wanted - nowPpb;
    return nowPpb + Math.max(-FREQ_CHANGE_LIMIT_PPB, Math.min(FREQ_CHANGE_LIMIT_PPB, change));
  }
}

/** The number of the round that a domain instant lies in. */
export const roundOf = (domainNs: UnixNanos): bigint => domainNs / BigInt(ROUND_NS);
