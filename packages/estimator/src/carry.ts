/**
 * Carries stamps between a host's system clock and its raw clock.
 *
 * Problem: the kernel stamps probes on the system clock, which our own discipline (on the
 * reference: its time daemon) bends about once a second. The estimator must see the raw clock only.
 *
 * Approach: a ring of straight pieces (`carry-segment.ts`). An own write ends a piece; the next
 * begins 20 ms later (at once, when the change is small), because a frequency takes effect at a tick
 * of the kernel, and inherits the
 * predecessor's end, shifted by the step, and its slope, changed by the written amount. Without
 * writes a piece is ended after `ROLL_S`, so that memory stays bounded and slow changes are
 * followed.
 *
 * Foreign hands: when the mean innovation of three batches in a row is far outside of its
 * uncertainty, somebody else has bent or stepped the clock. The piece ends at the last batch that
 * fitted, a new one begins at the first that did not, with nothing inherited; the stamps between
 * the two cannot be carried.
 *
 * Assumptions: notices of own writes come in order and within 2 s; a piece is exactly straight.
 * Cannot see: a foreign change of rate below about 0.1 ppm at once (it is averaged over, an error
 * of some 10 ns); a stamp that a step backwards made ambiguous. Of two pieces that show the same
 * system time the newer one is taken, because a batch of stamps is mostly young.
 *
 * Source: step 4 of "The path of a probe" in the architecture; chrony keeps its samples on the
 * uncorrected ("raw") clock for the same reason (chrony, local.h).
 */
import { addNs, assert, diffNs, relativeTo, SECOND_NS } from "@ttcs/units";
import { gapAfter, priorAfter, priorAt, unknownPrior } from "./carry-prior.ts";
import {
  EXTRAPOLATION_S,
  type LinePrior,
  Samples,
  SEGMENT_CAPACITY,
  Segment,
} from "./carry-segment.ts";
import { grown } from "./quantile.ts";

/** Pieces kept: 6 s and more, even at four writes a second. */
const RING_SIZE = 24;
/** Length at which a piece without writes is ended (s). */
const ROLL_S = 1.5;
/** Triples looked at together for foreign hands. */
const SLICE = 64;
/** Batches in a row that must contradict the line before a foreign hand is believed. */
const SUSPECT_BATCHES = 3;
const NS_PER_S = SECOND_NS;

/** Simultaneous readings: a system reading bracketed by two raw ones (ns each). */
export interface Triples {
  readonly length: number;
  readonly rawBeforeNs: BigInt64Array;
  readonly systemNs: BigInt64Array;
  readonly rawAfterNs: BigInt64Array;
}

/** The system clock at a raw instant: `systemNs + fractionNs`, with its uncertainty. */
export interface SystemInstant {
  /** Whole nanoseconds (Unix ns). */
  systemNs: bigint;
  /** The rest, 0 up to 1 ns. */
  fractionNs: number;
  sigmaNs: number;
  boundNs: number;
}

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

/** The map between the two clocks of one host. */
export class Carry {
  readonly #ring: Segment[] = Array.from({ length: RING_SIZE }, () => new Segment());
  /** Pieces opened so far; the newest is number `#opened - 1`. */
  #opened = 0;
  readonly #samples = new Samples();
  readonly #prior: LinePrior = unknownPrior();
  #suspectBatches = 0;
  /** First sample of the suspicious batches; `#samples.length` when there are none. */
  #suspectFrom = 0;
  /** First sample of the second suspicious batch: the change may lie within the first. */
  #cleanFrom = 0;
  #foreignBreakCount = 0;
  #lastForeignBreak: ForeignBreak | undefined;
  readonly #before = new Float64Array(SLICE);
  readonly #system = new Float64Array(SLICE);
  readonly #after = new Float64Array(SLICE);
  #stamps: Float64Array = new Float64Array(0);
  #settled = new Uint8Array(0);

  /** Changes of the system clock that no own write explains, so far. */
  get foreignBreakCount(): number {
    return this.#foreignBreakCount;
  }

  /** The newest of them. */
  get lastForeignBreak(): ForeignBreak | undefined {
    return this.#lastForeignBreak;
  }

  /** Standard uncertainty of a stamp carried by the newest usable piece (ns); NaN: none. */
  get sigmaNs(): number {
    return this.#newestUsable()?.sigmaNs ?? Number.NaN;
  }

  /** Guaranteed error of a stamp carried by the newest usable piece (ns); NaN: none. */
  get boundNs(): number {
    return this.#newestUsable()?.boundNs ?? Number.NaN;
  }

  /** Rate of the system clock against raw in the newest usable piece (ppb, positive: fast). */
  rate(): number {
    return this.#newestUsable()?.slopePpb ?? Number.NaN;
  }

  /** Standard uncertainty of `rate()` (ppb); NaN without a piece. */
  rateSigma(): number {
    return this.#newestUsable()?.slopeSigmaPpb ?? Number.NaN;
  }

  /** The largest sigma and bound (ns) of the pieces in use since a raw instant: for a window. */
  worstSince(rawNs: bigint): { sigmaNs: number; boundNs: number } {
    const worst = { sigmaNs: this.sigmaNs, boundNs: this.boundNs };
    for (let back = 0; back < this.#count(); back++) {
      const segment = this.#segment(back);
      const endsBefore = diffNs(rawNs, segment.originRawNs) > segment.endS * NS_PER_S;
      if (back > 0 && endsBefore) break;
      if (!segment.usable || segment.endS < segment.startS) continue;
      worst.sigmaNs = Math.max(worst.sigmaNs, segment.sigmaNs);
      worst.boundNs = Math.max(worst.boundNs, segment.boundNs);
    }
    return worst;
  }

  /** Takes new triples, in order of time. Refits once (once per 64 when there are more). */
  addTriples(t: Triples): void {
    for (let from = 0; from < t.length; from += SLICE) {
      this.#addSlice(t, from, Math.min(t.length, from + SLICE));
    }
  }

  /**
   * Tells of an own write.
   *
   * @param rawNs raw instant just before the write; triples after it may have been added already.
   * @param rateChangePpb how much faster the system clock runs from then on (ppb).
   * @param stepNs how far it was moved (ns, positive: forward).
   */
  breakAt(rawNs: bigint, rateChangePpb: number, stepNs: number): void {
    assert(Number.isFinite(rateChangePpb) && Number.isFinite(stepNs), "a write has finite numbers");
    if (this.#opened === 0) return;
    const breakS = diffNs(rawNs, this.#segment(0).originRawNs) / NS_PER_S;
    // A notice from before the newest piece comes too late: a foreign break was found in its stead.
    if (breakS < this.#segment(0).gapS) return;
    this.#break(breakS, breakS, rateChangePpb, stepNs);
  }

  /**
   * Tells that the rate was changed by another hand, at an unknown instant between two.
   *
   * @param rateChangePpb how much faster the system clock runs afterwards (ppb).
   */
  breakBetween(fromRawNs: bigint, toRawNs: bigint, rateChangePpb: number): void {
    assert(Number.isFinite(rateChangePpb), "a change of rate is a finite number");
    if (this.#opened === 0) return;
    const old = this.#segment(0);
    const toS = diffNs(toRawNs, old.originRawNs) / NS_PER_S;
    // What lies before the newest piece was seen when that piece began.
    const fromS = Math.max(old.gapS, diffNs(fromRawNs, old.originRawNs) / NS_PER_S);
    if (toS >= fromS) this.#break(fromS, toS, rateChangePpb, 0);
  }

  /** Ends the newest piece at `fromS`; the next begins when the change has taken effect for sure. */
  #break(fromS: number, toS: number, rateChangePpb: number, stepNs: number): void {
    const old = this.#segment(0);
    const change = { rateChangePpb, stepNs, withinS: toS - fromS };
    const gapS = gapAfter(change);
    const middleS = (fromS + toS) / 2;
    // A change that leaves no gap counts as made in the middle.
    const breakS = gapS > 0 ? fromS : middleS;
    const samples = this.#samples;
    let keep = 0;
    while (keep < samples.length && samples.xS[keep] < breakS) keep++;
    this.#refit(Math.min(keep, this.#suspectFrom));
    // The old line serves up to the write, unless its triples had ended long before.
    const lastS = keep > 0 ? samples.xS[keep - 1] : old.startS;
    old.setEnd(Math.min(breakS, lastS + EXTRAPOLATION_S));
    const startS = middleS + gapS;
    const gapStartS = breakS < old.startS ? old.gapS : breakS;
    const prior = priorAfter(old, middleS, change, gapS);
    while (keep < samples.length && samples.xS[keep] < startS) keep++;
    this.#open(old, startS, gapStartS, prior, keep);
    this.#refit(samples.length);
  }

  /**
   * Raw instants of stamps of the system clock, in ns from `baseRawNs` with their fractions.
   *
   * NaN where a stamp cannot be carried: in a gap, before the oldest piece, or more than 0.3 s from
   * triples. Allocates only when `count` grows.
   *
   * @returns how many were carried.
   */
  toRaw(systemNs: BigInt64Array, count: number, baseRawNs: bigint, out: Float64Array): number {
    assert(systemNs.length >= count && out.length >= count, "columns hold the counted stamps");
    this.#stamps = grown(this.#stamps, count);
    if (this.#settled.length < count) this.#settled = new Uint8Array(this.#stamps.length);
    const settled = this.#settled;
    out.fill(Number.NaN, 0, count);
    settled.fill(0, 0, count);
    let carried = 0;
    let open = count;
    for (let back = 0; back < this.#count() && open > 0; back++) {
      const segment = this.#segment(back);
      if (!segment.usable) continue;
      relativeTo(segment.originSystemNs, systemNs, count, this.#stamps);
      const shiftNs = diffNs(segment.originRawNs, baseRawNs);
      const perRate = 1 / (1 + segment.slopePpb / NS_PER_S);
      const gapNs = segment.gapS * NS_PER_S;
      const startNs = segment.startS * NS_PER_S;
      const endNs = segment.endS * NS_PER_S;
      for (let i = 0; i < count; i++) {
        if (settled[i] === 1) continue;
        const rawNs = (this.#stamps[i] - segment.valueNs) * perRate;
        if (rawNs < gapNs || rawNs > endNs) continue;
        settled[i] = 1;
        open--;
        // In the gap it is settled too: an older piece must not claim it after a step backwards.
        if (rawNs < startNs) continue;
        out[i] = shiftNs + rawNs;
        carried++;
      }
    }
    return carried;
  }

  /** The system clock at a raw instant; undefined in gaps and away from triples. */
  systemAt(rawNs: bigint): SystemInstant | undefined {
    for (let back = 0; back < this.#count(); back++) {
      const segment = this.#segment(back);
      const sinceNs = diffNs(rawNs, segment.originRawNs);
      const xS = sinceNs / NS_PER_S;
      if (xS < segment.gapS) continue;
      if (!segment.usable || xS < segment.startS || xS > segment.endS) return undefined;
      const y = segment.valueAt(xS);
      const whole = Math.floor(y);
      return {
        systemNs: segment.originSystemNs + (rawNs - segment.originRawNs) + BigInt(whole),
        fractionNs: y - whole,
        sigmaNs: segment.sigmaAt(xS),
        boundNs: segment.boundAt(xS),
      };
    }
    return undefined;
  }

  /** How many pieces the ring holds. */
  #count(): number {
    return Math.min(this.#opened, RING_SIZE);
  }

  /** The piece `back` places before the newest. */
  #segment(back: number): Segment {
    return this.#ring[(this.#opened - 1 - back) % RING_SIZE];
  }

  #newestUsable(): Segment | undefined {
    for (let back = 0; back < this.#count(); back++) {
      const segment = this.#segment(back);
      if (segment.usable && segment.endS >= segment.startS) return segment;
    }
    return undefined;
  }

  #addSlice(t: Triples, from: number, to: number): void {
    if (this.#opened === 0) this.#openFirst(t.rawBeforeNs[from], t.systemNs[from]);
    const samples = this.#samples;
    const full = samples.length + (to - from) > SEGMENT_CAPACITY;
    const lastS = samples.length > 0 ? samples.xS[samples.length - 1] : 0;
    if (full || (lastS > ROLL_S && this.#suspectBatches === 0)) this.#roll();
    const segment = this.#segment(0);
    const count = to - from;
    relativeTo(segment.originRawNs, t.rawBeforeNs.subarray(from, to), count, this.#before);
    relativeTo(segment.originSystemNs, t.systemNs.subarray(from, to), count, this.#system);
    relativeTo(segment.originRawNs, t.rawAfterNs.subarray(from, to), count, this.#after);
    const first = samples.length;
    for (let i = 0; i < count; i++) {
      const middleNs = (this.#before[i] + this.#after[i]) / 2;
      const halfNs = (this.#after[i] - this.#before[i]) / 2;
      if (middleNs < segment.startS * NS_PER_S || halfNs < 0) continue;
      const at = samples.length++;
      samples.xS[at] = middleNs / NS_PER_S;
      samples.yNs[at] = this.#system[i] - middleNs;
      samples.halfNs[at] = halfNs;
    }
    if (samples.length > first) this.#judge(first);
  }

  /** Accepts the samples from `first` on, or holds them back as suspicious. */
  #judge(first: number): void {
    const verdict = this.#segment(0).contradiction(this.#samples, first);
    // No narrow bracket, no verdict: a suspicion that stands is neither confirmed nor lifted.
    const contradicts = verdict === undefined ? this.#suspectBatches > 0 : verdict;
    if (!contradicts) {
      this.#suspectBatches = 0;
      this.#suspectFrom = this.#samples.length;
      this.#refit(this.#samples.length);
      return;
    }
    if (this.#suspectBatches === 0) this.#suspectFrom = first;
    if (this.#suspectBatches === 1) this.#cleanFrom = first;
    this.#suspectBatches++;
    if (this.#suspectBatches >= SUSPECT_BATCHES) this.#foreignBreak();
    else this.#refit(this.#suspectFrom);
  }

  /** Refits the newest piece to its first `count` samples and sets how far it reaches. */
  #refit(count: number): void {
    const segment = this.#segment(0);
    const samples = this.#samples;
    segment.fit(samples, count, this.#prior);
    if (count < samples.length) {
      segment.setEnd(this.#vouchedS(count));
      return;
    }
    const lastS = count > 0 ? samples.xS[count - 1] : segment.startS;
    segment.setEnd(lastS + EXTRAPOLATION_S);
  }

  /** Where the newest piece holds for certain, of its first `count` samples: a wide one says nothing. */
  #vouchedS(count: number): number {
    const segment = this.#segment(0);
    const { xS, halfNs } = this.#samples;
    let last = count - 1;
    while (last >= 0 && 2 * halfNs[last] > segment.widthLimitNs) last--;
    return last >= 0 ? xS[last] : segment.startS;
  }

  #openFirst(rawNs: bigint, systemNs: bigint): void {
    const first = this.#ring[0];
    this.#opened = 1;
    first.originRawNs = rawNs;
    first.originSystemNs = systemNs;
    first.gapS = 0;
    first.startS = 0;
    Object.assign(this.#prior, unknownPrior());
  }

  /** Ends a piece that has lasted long enough; its line goes on. */
  #roll(): void {
    const old = this.#segment(0);
    const samples = this.#samples;
    this.#refit(samples.length);
    const lastS = samples.length > 0 ? samples.xS[samples.length - 1] : old.startS;
    old.setEnd(lastS);
    this.#open(old, lastS, lastS, priorAt(old, lastS), samples.length);
    this.#refit(0);
  }

  #foreignBreak(): void {
    this.#foreignBreakCount++;
    const old = this.#segment(0);
    const samples = this.#samples;
    const last = this.#suspectFrom;
    const from = this.#cleanFrom;
    this.#refit(last);
    const gapStartS = this.#vouchedS(last);
    const startS = samples.xS[from];
    const expectedNs = old.valueAt(startS);
    const oldPpb = old.slopePpb;
    const origin = old.originRawNs;
    const prior = unknownPrior();
    prior.widthLimitNs = old.widthLimitNs;
    prior.slopePpb = old.slopePpb;
    prior.valueNs = samples.yNs[from];
    const wholeNs = Math.round(prior.valueNs);
    this.#open(old, startS, gapStartS, prior, from);
    this.#refit(samples.length);
    const fresh = this.#segment(0);
    this.#lastForeignBreak = {
      afterRawNs: addNs(origin, Math.round(gapStartS * NS_PER_S)),
      beforeRawNs: fresh.originRawNs,
      stepNs: fresh.valueNs + wholeNs - expectedNs,
      rateChangePpb: fresh.slopePpb - oldPpb,
      rateSigmaPpb: fresh.slopeSigmaPpb,
    };
  }

  /**
   * Opens a piece at `startS` of the old one's scale, with the samples from `from` on.
   *
   * Both origins move, so that numbers stay small; the origin of the system scale follows the prior
   * in whole nanoseconds, however large the step.
   */
  #open(old: Segment, startS: number, gapStartS: number, prior: LinePrior, from: number): void {
    const moveNs = Math.round(startS * NS_PER_S);
    const wholeNs = Math.round(prior.valueNs);
    const originRawNs = addNs(old.originRawNs, moveNs);
    const originSystemNs = addNs(old.originSystemNs, moveNs) + BigInt(wholeNs);
    const gapS = gapStartS - startS;
    const segment = this.#ring[this.#opened++ % RING_SIZE];
    segment.originRawNs = originRawNs;
    segment.originSystemNs = originSystemNs;
    segment.gapS = gapS;
    segment.startS = 0;
    const samples = this.#samples;
    for (let i = from; i < samples.length; i++) {
      samples.xS[i - from] = samples.xS[i] - moveNs / NS_PER_S;
      samples.yNs[i - from] = samples.yNs[i] - wholeNs;
      samples.halfNs[i - from] = samples.halfNs[i];
    }
    samples.length = Math.max(0, samples.length - from);
    this.#suspectBatches = 0;
    this.#suspectFrom = samples.length;
    Object.assign(this.#prior, prior);
    this.#prior.valueNs = prior.valueNs - wholeNs;
  }
}
