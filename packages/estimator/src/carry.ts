/**
 * Carries stamps between a host's system clock and its raw clock.
 *
 * Problem: the kernel stamps probes on the system clock, which our own discipline (on the
 * reference: its time daemon) bends about once a second. The estimator must see the raw clock only.
 *
 * Approach: a ring (`carry-ring.ts`) of straight pieces (`carry-segment.ts`), by which stamps are
 * converted (`carry-stamps.ts`). An own write ends a piece; the next begins 20 ms later (at once, when
 * the change is small), because a frequency takes effect at a tick of the kernel, and inherits the
 * predecessor's end, shifted by the step, and its slope, changed by the written amount
 * (`carry-prior.ts`). Without writes a piece is ended after `ROLL_S`, so that memory stays bounded and
 * slow changes are followed.
 *
 * Foreign hands (`carry-suspicion.ts`): the piece ends at the last batch that fitted, a new one begins
 * at the first that did not for sure, with nothing inherited; the stamps between the two cannot be
 * carried.
 *
 * Assumptions: notices of own writes come in order and within 2 s; a piece is exactly straight.
 * Cannot see: what `carry-suspicion.ts` and `carry-stamps.ts` cannot.
 *
 * Source: step 4 of "The path of a probe" in the architecture; chrony keeps its samples on the
 * uncorrected ("raw") clock for the same reason (chrony, local.h).
 */
import { addNs, assert, diffNs, SECOND_NS } from "@ttcs/units";
import { CarryGrowth, SLICE, type Triples } from "./carry-growth.ts";
import { gapAfter, priorAfter, priorAt, unknownPrior } from "./carry-prior.ts";
import { CarryRing } from "./carry-ring.ts";
import { EXTRAPOLATION_S, type LinePrior } from "./carry-segment.ts";
import { type SystemInstant, systemAt, systemToRaw } from "./carry-stamps.ts";
import { CarrySuspicion, type ForeignBreak } from "./carry-suspicion.ts";

/** Length at which a piece without writes is ended (s). */
const ROLL_S = 1.5;

/** The map between the two clocks of one host. */
export class Carry {
  readonly #ring = new CarryRing();
  readonly #growth = new CarryGrowth();
  readonly #suspicion = new CarrySuspicion();
  #foreignBreakCount = 0;
  #lastForeignBreak: ForeignBreak | undefined;

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
    return this.#ring.newestUsable()?.sigmaNs ?? Number.NaN;
  }

  /** Guaranteed error of a stamp carried by the newest usable piece (ns); NaN: none. */
  get boundNs(): number {
    return this.#ring.newestUsable()?.boundNs ?? Number.NaN;
  }

  /** Rate of the system clock against raw in the newest usable piece (ppb, positive: fast). */
  rate(): number {
    return this.#ring.newestUsable()?.slopePpb ?? Number.NaN;
  }

  /** Standard uncertainty of `rate()` (ppb); NaN without a piece. */
  rateSigma(): number {
    return this.#ring.newestUsable()?.slopeSigmaPpb ?? Number.NaN;
  }

  /** The largest sigma and bound (ns) of the pieces in use since a raw instant: for a window. */
  worstSince(rawNs: bigint): { sigmaNs: number; boundNs: number } {
    return this.#ring.worstSince(rawNs);
  }

  /** Raw instants of `count` stamps of the system clock, as `systemToRaw`. */
  toRaw(systemNs: BigInt64Array, count: number, baseRawNs: bigint, out: Float64Array): number {
    return systemToRaw(this.#ring, systemNs, count, baseRawNs, out);
  }

  /** The system clock at a raw instant; undefined in gaps and away from triples. */
  systemAt(rawNs: bigint): SystemInstant | undefined {
    return systemAt(this.#ring, rawNs);
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
    if (this.#ring.length === 0) return;
    const breakS = diffNs(rawNs, this.#ring.at(0).originRawNs) / SECOND_NS;
    // A notice from before the newest piece comes too late: a foreign break was found in its stead.
    if (breakS < this.#ring.at(0).gapS) return;
    this.#break(breakS, breakS, rateChangePpb, stepNs);
  }

  /**
   * Tells that the rate was changed by another hand, at an unknown instant between two.
   *
   * @param rateChangePpb how much faster the system clock runs afterwards (ppb).
   */
  breakBetween(fromRawNs: bigint, toRawNs: bigint, rateChangePpb: number): void {
    assert(Number.isFinite(rateChangePpb), "a change of rate is a finite number");
    if (this.#ring.length === 0) return;
    const old = this.#ring.at(0);
    const toS = diffNs(toRawNs, old.originRawNs) / SECOND_NS;
    // What lies before the newest piece was seen when that piece began.
    const fromS = Math.max(old.gapS, diffNs(fromRawNs, old.originRawNs) / SECOND_NS);
    if (toS >= fromS) this.#break(fromS, toS, rateChangePpb, 0);
  }

  /** Ends the newest piece at `fromS`; the next begins when the change has taken effect for sure. */
  #break(fromS: number, toS: number, rateChangePpb: number, stepNs: number): void {
    const old = this.#ring.at(0);
    const change = { rateChangePpb, stepNs, withinS: toS - fromS };
    const gapS = gapAfter(change);
    const middleS = (fromS + toS) / 2;
    // A change that leaves no gap counts as made in the middle.
    const breakS = gapS > 0 ? fromS : middleS;
    const growth = this.#growth;
    const keep = growth.firstFrom(breakS);
    growth.refit(old, Math.min(keep, this.#suspicion.from));
    // The old line serves up to the write, unless its triples had ended long before.
    const lastS = keep > 0 ? growth.samples.xS[keep - 1] : old.startS;
    old.setEnd(Math.min(breakS, lastS + EXTRAPOLATION_S));
    const startS = middleS + gapS;
    const gapStartS = breakS < old.startS ? old.gapS : breakS;
    const prior = priorAfter(old, middleS, change, gapS);
    this.#open(startS, gapStartS, prior, growth.firstFrom(startS, keep));
    this.#refitAll();
  }

  #addSlice(t: Triples, from: number, to: number): void {
    const [ring, growth, suspicion] = [this.#ring, this.#growth, this.#suspicion];
    if (ring.length === 0) {
      ring.openFirst(t.rawBeforeNs[from], t.systemNs[from]);
      growth.expect(unknownPrior());
    }
    const isLong = growth.lastS > ROLL_S && !suspicion.stands;
    if (growth.isFullFor(to - from) || isLong) this.#roll();
    const { samples } = growth;
    const first = samples.length;
    growth.append(ring.at(0), t, from, to);
    if (samples.length === first) return;
    suspicion.judge(ring.at(0), samples, first);
    if (suspicion.isProven) this.#foreignBreak();
    else growth.refit(ring.at(0), suspicion.from);
  }

  /** Ends a piece that has lasted long enough; its line goes on. */
  #roll(): void {
    const old = this.#ring.at(0);
    const { samples } = this.#growth;
    this.#refitAll();
    const lastS = samples.length > 0 ? samples.xS[samples.length - 1] : old.startS;
    old.setEnd(lastS);
    this.#open(lastS, lastS, priorAt(old, lastS), samples.length);
    this.#refitAll();
  }

  #foreignBreak(): void {
    this.#foreignBreakCount++;
    const old = this.#ring.at(0);
    const growth = this.#growth;
    const { samples } = growth;
    const { from, cleanFrom } = this.#suspicion;
    growth.refit(old, from);
    const gapStartS = growth.vouchedS(old, from);
    const startS = samples.xS[cleanFrom];
    const expectedNs = old.valueAt(startS);
    const prior = unknownPrior();
    prior.widthLimitNs = old.widthLimitNs;
    prior.slopePpb = old.slopePpb;
    prior.valueNs = samples.yNs[cleanFrom];
    const wholeNs = Math.round(prior.valueNs);
    this.#open(startS, gapStartS, prior, cleanFrom);
    this.#refitAll();
    const fresh = this.#ring.at(0);
    this.#lastForeignBreak = {
      afterRawNs: addNs(old.originRawNs, Math.round(gapStartS * SECOND_NS)),
      beforeRawNs: fresh.originRawNs,
      stepNs: fresh.valueNs + wholeNs - expectedNs,
      rateChangePpb: fresh.slopePpb - old.slopePpb,
      rateSigmaPpb: fresh.slopeSigmaPpb,
    };
  }

  /**
   * Opens a piece at `startS` of the newest one's scale, with the samples from `from` on.
   *
   * Both origins move, so that numbers stay small; the origin of the system scale follows the prior
   * in whole nanoseconds, however large the step.
   */
  #open(startS: number, gapStartS: number, prior: LinePrior, from: number): void {
    const moveNs = Math.round(startS * SECOND_NS);
    const wholeNs = Math.round(prior.valueNs);
    this.#ring.open(moveNs, wholeNs, gapStartS - startS);
    this.#growth.moveOn(from, moveNs, wholeNs, prior);
    this.#suspicion.lift(this.#growth.samples);
  }

  /** Refits the newest piece to all its samples. */
  #refitAll(): void {
    this.#growth.refit(this.#ring.at(0), this.#growth.samples.length);
  }
}
