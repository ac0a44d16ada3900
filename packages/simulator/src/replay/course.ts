/**
 * What a replay knows of one host's raw clock: its zero, how far its rows have come, and which of
 * its instants is which on the reference's axis.
 *
 * Causality hangs on the last. A round that closes at T on the reference's clock may use a probe
 * only if it had arrived by T in truth. With a track, T is carried to the host's clock and moved
 * back by the guaranteed bound there; without one, the caller sets a limit that follows from
 * probes which have come *from* the host (`reach.ts`).
 */

import { create } from "@bufbuild/protobuf";
import { type Host, newHost, type Track } from "@ttcs/coordinator/core";
import { grownBoundNs } from "@ttcs/discipline";
import { HelloSchema } from "@ttcs/protocol";
import { addNs, diffNs, type RawNanos, rawNanos, WINDOW_NS } from "@ttcs/units";

/** A bound wider than this is no reason to throw more of the window away (ns). */
const MARGIN_LIMIT_NS = 50_000_000;
/** Stamps carry noise: over all edges of a host, sending may go back by this (ns). */
const ORDER_SLACK_NS = 20_000;
/** So many rows in a row behind the newest one: it was that one which was wrong. */
const BEHIND_TO_RETURN = 8;

/** An instant on a host's raw clock, with what is said of it. */
export interface Placed {
  /** Whole ns on the host's raw clock, and the rest (0 to 1 ns). */
  readonly rawNs: RawNanos;
  readonly restNs: number;
  /** Rate of the host's clock against the reference's, minus one (ppb). */
  readonly freqPpb: number;
  readonly sigmaNs: number;
  readonly boundNs: number;
}

/** See the module head. */
export class HostCourse {
  readonly host: Host;
  /** Zero of this host's stamps; undefined before its first one. */
  baseRawNs: RawNanos | undefined;
  /** Newest accepted stamp of sending (ns since the base). */
  #newestTxNs = Number.NEGATIVE_INFINITY;
  #behind = 0;
  /** Its rows give evidence that a round is over from here on (ns since the base). */
  passNs = Number.POSITIVE_INFINITY;
  /** This round's window: arrivals in (start, limit] (ns since the base; NaN: not known). */
  startNs = Number.NaN;
  limitNs = Number.NaN;

  constructor(id: string, number: number) {
    this.host = newHost(number, create(HelloSchema, { hostId: id }), number);
  }

  /** True when a probe sent at `txNs` (ns since the base) keeps the order of this host's rows. */
  follows(txNs: number): boolean {
    if (txNs >= this.#newestTxNs - ORDER_SLACK_NS) return true;
    this.#behind++;
    return false;
  }

  /** True when so many rows did not follow that the newest one must have been wrong. */
  get mustReturn(): boolean {
    return this.#behind >= BEHIND_TO_RETURN;
  }

  /** Goes back to `txNs` (ns since the base). */
  returnTo(txNs: number): void {
    this.#newestTxNs = txNs;
    this.#behind = 0;
  }

  /** True when `txNs` (ns since the base) is near the window at hand. */
  isNear(txNs: number): boolean {
    return Math.abs(txNs - this.limitNs) < WINDOW_NS;
  }

  /** Notes a probe that was accepted. */
  sent(txNs: number): void {
    this.#behind = 0;
    this.#newestTxNs = Math.max(this.#newestTxNs, txNs);
  }

  /** This host's clock at an instant of the reference's, predicted; undefined without a fix. */
  placeAt(refRawNs: RawNanos): Placed | undefined {
    const { track } = this.host;
    if (!track?.fix) return undefined;
    const elapsedNs = diffNs(refRawNs, track.referenceZeroNs);
    const estimate = track.filter.predict(elapsedNs * 1e-9);
    const wholeNs = Math.floor(estimate.offsetNs);
    return {
      rawNs: addNs(rawNanos(track.hostZeroNs + (refRawNs - track.referenceZeroNs)), wholeNs),
      restNs: estimate.offsetNs - wholeNs,
      freqPpb: estimate.freqPpb,
      sigmaNs: Math.hypot(estimate.offsetSigmaNs, track.fix.slowSigmaNs),
      boundNs: grownAt(track, refRawNs),
    };
  }

  /** The same since the base (ns), and how early it might be in truth; undefined without a fix. */
  cutAt(refRawNs: RawNanos): { readonly ns: number; readonly marginNs: number } | undefined {
    const placed = this.baseRawNs === undefined ? undefined : this.placeAt(refRawNs);
    if (!placed) return undefined;
    const marginNs = Math.min(MARGIN_LIMIT_NS, placed.boundNs);
    return { ns: diffNs(placed.rawNs, this.baseRawNs!), marginNs };
  }

  /** Opens this round's window up to `limitNs` (ns since the base; NaN: not known, none). */
  openWindow(limitNs: number): void {
    this.limitNs = limitNs;
    this.startNs = Math.floor(limitNs - WINDOW_NS);
  }
}

/**
 * The fix's bound at a later instant; a fix of the future stays as it is (ns). What is published is
 * the filter's parabola, the bound's growth allows for what clocks do about a straight line.
 */
function grownAt(track: Track, refRawNs: RawNanos): number {
  const fix = track.fix!;
  const ageS = Math.max(0, diffNs(refRawNs, fix.atRefRawNs) * 1e-9);
  const bentNs = 0.5 * Math.abs(track.filter.freqRatePpbPerS) * ageS * ageS;
  return grownBoundNs(fix.boundNs, fix.freqSigmaPpb, ageS) + bentNs;
}
