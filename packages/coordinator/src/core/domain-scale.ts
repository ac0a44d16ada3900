/**
 * Domain time on the reference's raw clock: domain = raw (1 + f) + c, piecewise.
 *
 * The domain begins at the reference's system clock and follows it smoothly, never by a step. f is
 * the reference's own rate (system against raw) plus a pull that removes what is left between the
 * two. f is decided two rounds ahead, so every agent knows the new rate before it begins.
 *
 * Near, up to 100 us, the pull is what is left over 100 s, at most 1 ppm. Beyond, it may reach
 * 10 ppm, and it brakes in time: a pull that can change by a per second is down to 1 ppm at 100 us
 * when it obeys v^2 = (1 ppm)^2 + 2 a (rest - 100 us), the law of uniform deceleration.
 *
 * How fast f may change is a matter of those who cannot hear: a host that is cut off must count into
 * its bound whatever domain time may have done since. So f changes by 25 ppb a round, and by 250 ppb
 * only in a far pull. That is announced in every correction for 3 s before it begins, and does not
 * begin when a host is missing by then (`mayPullFar`): who hears nothing knows that it did not begin.
 *
 * A reference whose system clock our own discipline writes is no source: following it would follow
 * ourselves. Without a source, or while it is in doubt, f goes back to the pace that is known: a pull
 * ends with that by which it is measured.
 *
 * Cannot see: whether the reference's source is right. While it slews its clock the reading of its
 * rate says nothing of its pace, and is left out for a minute; after that it is believed in steps.
 */
import {
  DOMAIN_FREQ_RATE_PPB_PER_S,
  DomainLine,
  type DomainSegment,
  FAR_FREQ_RATE_PPB_PER_S,
  FAR_PULL_LIMIT_PPB,
} from "@ttcs/discipline";
import type { SourceLine } from "@ttcs/protocol";
import {
  diffNs,
  type RawNanos,
  ROUND_NS,
  rawNanos,
  SECOND_NS,
  type UnixNanos,
  unixNanos,
} from "@ttcs/units";

/** The pull while near (ppb). */
const PULL_LIMIT_PPB = 1_000;
/** More than this is far (ns). */
const FAR_NS = 100_000;
/** Time constant of the pull (s): slow against the reference's own noise. */
const PULL_TIME_S = FAR_NS / PULL_LIMIT_PPB;
/** Of the possible deceleration the braking plans with this share: f changes in steps, and late. */
const BRAKING_SHARE = 0.8;
/** Share of a new reading of the reference's rate that is believed each round. */
const RATE_GAIN = 0.1;
/** A rate this far from the one known is a slew of the source, not its pace (ppb) ... */
const SLEW_PPB = 5_000;
/** ... unless it lasts for so many rounds: a minute. */
const SLEW_ROUNDS_MAX = 120;
/** A far pull is announced for this many rounds before it begins: longer than a host passes for present. */
const FAR_NOTICE_ROUNDS = 6;
/** The rate is decided this many rounds ahead. */
const AHEAD_ROUNDS = 2n;
/** Who follows decides later; a host that hears of a rate late is off by its change, ns (`region-follow.ts`). */
const FOLLOWING_AHEAD_ROUNDS = 1n;
const ROUND = BigInt(ROUND_NS);
/** Segments kept: the present one, those ahead, and a few past for late readers. */
const SEGMENTS_KEPT = 8;

/** The scale of one domain. */
export class DomainScale {
  #segments: DomainSegment[];
  #ratePpb: number;
  /** Domain minus the reference's system clock (ns). */
  #pullNs = 0;
  /** Rounds since a far pull was announced; undefined: none is wanted. */
  #farRounds: number | undefined;
  /** Rounds in a row in which the source was seen slewing. */
  #slewRounds = 0;

  /**
   * Goes on from a line that is known; one that is in a far pull stays in it, as all have been told.
   *
   * @param segments domain time on the reference's raw clock as known so far, at least one
   * @param excessPpb by how much their last rate is more than the reference's own pace
   */
  constructor(segments: readonly DomainSegment[], excessPpb = 0) {
    this.#segments = [...segments];
    this.#ratePpb = this.#goOn(excessPpb);
  }

  /**
   * From now on it leads, and has followed a line until now that was pulled by so much (ppb): the pull is
   * not the pace, and one that is far goes on.
   */
  lead(excessPpb: number): void {
    this.#ratePpb = this.#goOn(excessPpb);
  }

  /** The pace under a rate that has so much of a pull in it (ppb). */
  #goOn(excessPpb: number): number {
    if (Math.abs(excessPpb) > PULL_LIMIT_PPB) this.#farRounds = FAR_NOTICE_ROUNDS + 1;
    return this.#segments[this.#segments.length - 1].freqPpb - excessPpb;
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

  /** How much faster than the source's own pace domain time runs by its last rate (ppb): the pull. */
  get excessPpb(): number {
    return this.#segments[this.#segments.length - 1].freqPpb - this.#ratePpb;
  }

  /** True from the announcement to the end of a far pull. */
  get farPull(): boolean {
    return this.#farRounds !== undefined;
  }

  /** The segments from the one that holds at `fromRawNs` on. */
  segmentsFrom(fromRawNs: RawNanos): DomainSegment[] {
    let first = 0;
    for (let i = 1; i < this.#segments.length; i++) {
      if (this.#segments[i].rawNs <= fromRawNs) first = i;
    }
    return this.#segments.slice(first);
  }

  /** The whole line as it is known now; what is decided later does not change it. */
  line(): DomainLine {
    return new DomainLine([...this.#segments]);
  }

  /**
   * Decides the rate ahead. Call once per round.
   *
   * @param nowRawNs the reference's raw clock at the close of the round's window
   * @param source the reference's line of this round; absent: there is none to follow
   * @param mayPullFar false while a host is missing that would not learn of a far pull
   */
  advance(nowRawNs: RawNanos, source: SourceLine | undefined, mayPullFar = true): void {
    const follow = source !== undefined && !source.steered;
    if (follow) this.#observe(source);
    const now = this.line().at(nowRawNs).unixNs;
    this.#announce(now / ROUND + 1n + AHEAD_ROUNDS, (startRawNs, nowPpb) =>
      this.#nextFreqPpb(
        nowPpb,
        follow ? this.#restNs(startRawNs, source) : 0,
        follow && mayPullFar,
      ),
    );
  }

  /**
   * Decides the rate ahead as somebody else has it who follows another line: once per round, instead
   * of `advance`.
   *
   * A window closes where a round begins, to within ns either way: taken to the nearest, so that every
   * round decides one rate and none is left out. Who follows must be able to bend as fast as who leads.
   *
   * @param freqPpbFrom the rate from a raw instant on, when it was `nowPpb` before
   */
  follow(nowRawNs: RawNanos, freqPpbFrom: (startRawNs: RawNanos, nowPpb: number) => number): void {
    this.#farRounds = undefined;
    this.#pullNs = 0;
    const now = this.line().at(nowRawNs).unixNs;
    this.#announce((now + ROUND / 2n) / ROUND + FOLLOWING_AHEAD_ROUNDS, (startRawNs, nowPpb) => {
      this.#ratePpb = freqPpbFrom(startRawNs, nowPpb);
      return this.#ratePpb;
    });
  }

  /** Adds the segment of a round that begins in a while, unless it is known already. */
  #announce(round: bigint, freqPpbFrom: (startRawNs: RawNanos, nowPpb: number) => number) {
    const line = this.line();
    const startRawNs = line.rawAt(unixNanos(round * ROUND));
    if (startRawNs <= line.last.rawNs) return;
    const at = line.at(startRawNs);
    this.#segments.push({
      rawNs: startRawNs,
      domainUnixNs: at.unixNs,
      domainFractionNs: at.fractionNs,
      freqPpb: freqPpbFrom(startRawNs, line.last.freqPpb),
    });
    if (this.#segments.length > SEGMENTS_KEPT) this.#segments.shift();
  }

  #observe(source: SourceLine): void {
    const changePpb = source.freqPpb - this.#ratePpb;
    const slews = Math.abs(changePpb) > SLEW_PPB;
    this.#slewRounds = slews ? this.#slewRounds + 1 : 0;
    if (!slews) this.#ratePpb += RATE_GAIN * changePpb;
    else if (this.#slewRounds > SLEW_ROUNDS_MAX) {
      // It may be the pace all the same: approached as slowly as domain time may bend.
      const stepPpb = (DOMAIN_FREQ_RATE_PPB_PER_S * ROUND_NS) / SECOND_NS;
      this.#ratePpb += Math.sign(changePpb) * stepPpb;
    }
    const domain = this.line().at(rawNanos(source.rawNs));
    this.#pullNs = Number((domain.unixNs as bigint) - source.systemUnixNs) + domain.fractionNs;
  }

  /** Domain minus the reference's system clock at a raw instant ahead, at the pace known (ns). */
  #restNs(rawNs: RawNanos, source: SourceLine): number {
    const line = this.line();
    const from = line.at(rawNanos(source.rawNs));
    const to = line.at(rawNs);
    const elapsedNs = diffNs(rawNs, rawNanos(source.rawNs));
    const gainedNs =
      Number(to.unixNs - from.unixNs - (rawNs - source.rawNs)) + to.fractionNs - from.fractionNs;
    return this.#pullNs + gainedNs - elapsedNs * this.#ratePpb * 1e-9;
  }

  #nextFreqPpb(nowPpb: number, restNs: number, mayPullFar: boolean): number {
    const far = Math.abs(restNs) > FAR_NS;
    const settled = Math.abs(nowPpb - this.#ratePpb) <= PULL_LIMIT_PPB;
    this.#followFar(far, far || !settled, mayPullFar);
    const pulling = this.#farRounds !== undefined && this.#farRounds > FAR_NOTICE_ROUNDS;
    const changePpbPerS = pulling ? FAR_FREQ_RATE_PPB_PER_S : DOMAIN_FREQ_RATE_PPB_PER_S;
    const wanted = this.#ratePpb - Math.sign(restNs) * pullPpb(Math.abs(restNs), changePpbPerS);
    const limitPpb = (changePpbPerS * ROUND_NS) / SECOND_NS;
    return nowPpb + Math.max(-limitPpb, Math.min(limitPpb, wanted - nowPpb));
  }

  /** Announces, begins and ends a far pull; one that has begun goes on whoever leaves. */
  #followFar(far: boolean, unfinished: boolean, mayPullFar: boolean): void {
    const rounds = this.#farRounds;
    const noticed = rounds !== undefined && rounds >= FAR_NOTICE_ROUNDS;
    const wanted = noticed ? unfinished : far;
    const begun = rounds !== undefined && rounds > FAR_NOTICE_ROUNDS;
    this.#farRounds = wanted && (begun || mayPullFar) ? (rounds ?? 0) + 1 : undefined;
  }
}

/** How fast to remove what is left (ppb), when that may change by so much per second. */
function pullPpb(restNs: number, changePpbPerS: number): number {
  if (restNs <= FAR_NS) return restNs / PULL_TIME_S;
  const brakingNs = 2 * BRAKING_SHARE * changePpbPerS * (restNs - FAR_NS);
  return Math.min(FAR_PULL_LIMIT_PPB, Math.sqrt(PULL_LIMIT_PPB ** 2 + brakingNs));
}

/** The number of the round that a domain instant lies in. */
export const roundOf = (domainNs: UnixNanos): bigint => domainNs / BigInt(ROUND_NS);
