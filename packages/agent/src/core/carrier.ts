/**
 * From the timestamper's batches to stamps on the raw scale, round by round.
 *
 * Holds what has not been carried yet, knows the setting of the clock that is in force, and tells
 * the carry of every write of our own.
 */
import { Carry } from "@ttcs/estimator";
import type { StampColumns, TripleColumns } from "@ttcs/timestamper/types";
import { addNs, diffNs, type RawNanos, rawNanos, SECOND_NS } from "@ttcs/units";
import type { Edge } from "./edge.ts";
import { describeBreak, SettingWatch } from "./foreign-hand.ts";
import { PendingStamps } from "./pending.ts";
import type { CarryError, StampSeries } from "./stamp-series.ts";

/** After a step, stamps of this long are not used: the old and the new scale may overlap (ns). */
const STEP_SILENCE_NS = 500_000_000;

/** What the system clock shows at a raw instant. */
export interface SystemReading {
  readonly systemNs: bigint;
  readonly fractionNs: number;
  readonly sigmaNs: number;
  readonly boundNs: number;
}

/** Another hand on the system clock. */
export interface ForeignChange {
  /** What it did, in words that go after "another hand has". */
  readonly deed: string;
  /** The change lies before this instant. */
  readonly beforeRawNs: RawNanos;
  /** How far the clock was moved at once (ns). */
  readonly stepNs: number;
}

/** A rate that differs by more from the setting is another hand's doing, not the crystal's (ppb). */
const FOREIGN_RATE_PPB_MIN = 2_000;
/** A rate known no better than this allows no such verdict (ppb). */
const RATE_SIGMA_PPB_MAX = 300;

/** See the module head. */
export class Carrier {
  readonly #carry = new Carry();
  readonly #sent = new PendingStamps();
  readonly #received = new PendingStamps();
  #scratch = new Float64Array(1024);
  #silentUntil: RawNanos = rawNanos(0n);
  readonly #steers: boolean;
  #settingPpb: number | undefined;
  /** When the setting was last looked at. */
  #lookedRawNs: RawNanos | undefined;
  readonly #settingWatch = new SettingWatch();
  #foreignPpb = 0;
  #breaksSeen = 0;
  /** What the kernel's setting has betrayed, until it is told, and when it was. */
  #deed: string | undefined;
  #settingTold: { readonly deed: string; readonly rawNs: RawNanos } | undefined;
  #voidBefore: RawNanos = rawNanos(0n);
  /** Stamps that could not be carried since the start. */
  droppedCount = 0;

  /** @param steers false: the host's own time daemon sets the clock, as is its business. */
  constructor(steers: boolean) {
    this.#steers = steers;
  }

  /** Frequency setting in force (ppb). */
  get settingPpb(): number {
    return this.#settingPpb ?? 0;
  }

  /** Rate of the system clock against raw as measured with that setting (ppb). */
  get measuredFreqPpb(): number {
    return this.#carry.rate();
  }

  /** Standard uncertainty of that rate (ppb); NaN while there is none. */
  get measuredSigmaPpb(): number {
    return this.#carry.rateSigma();
  }

  /**
   * What another hand adds to the rate beside our setting (ppb): 0 as long as the clock runs as it is
   * told, give or take what a crystal and a kernel's tick are good for.
   */
  get foreignPpb(): number {
    if (this.#carry.rateSigma() <= RATE_SIGMA_PPB_MAX) {
      const excessPpb = this.#carry.rate() - this.settingPpb;
      this.#foreignPpb = Math.abs(excessPpb) > FOREIGN_RATE_PPB_MIN ? excessPpb : 0;
    }
    return this.#foreignPpb;
  }

  /** Stamps before this instant are void; 0: none are. */
  get voidBefore(): RawNanos {
    return this.#voidBefore;
  }

  /** What another hand has done to the clock since the last call; undefined: nothing. */
  takeForeign(nowRawNs: RawNanos): ForeignChange | undefined {
    const deed = this.#deed;
    this.#deed = undefined;
    if (deed !== undefined) this.#settingTold = { deed, rawNs: nowRawNs };
    const found = this.#carry.lastForeignBreak;
    if (found && this.#carry.foreignBreakCount > this.#breaksSeen) {
      this.#breaksSeen = this.#carry.foreignBreakCount;
      const told = this.#settingTold;
      // A strange setting and the change of rate that it makes are one deed.
      const same = told && diffNs(nowRawNs, told.rawNs) < SECOND_NS;
      const beforeRawNs = rawNanos(found.beforeRawNs);
      return { deed: same ? told.deed : describeBreak(found), beforeRawNs, stepNs: found.stepNs };
    }
    return deed === undefined ? undefined : { deed, beforeRawNs: nowRawNs, stepNs: 0 };
  }

  /** Throws away the stamps before a raw instant, those that come late as well. */
  voidStamps(beforeRawNs: RawNanos): void {
    this.#voidBefore = beforeRawNs;
    if (beforeRawNs > this.#silentUntil) this.#silentUntil = beforeRawNs;
  }

  /** How far stamps since `rawNs` may be off: the worst piece of the line counts (ns). */
  errorSince(rawNs: RawNanos): CarryError {
    return this.#carry.worstSince(rawNs);
  }

  addTriples(triples: TripleColumns): void {
    this.#carry.addTriples(triples);
  }

  addStamps(sent: StampColumns, received: StampColumns): void {
    this.#sent.append(sent);
    this.#received.append(received);
  }

  /**
   * The kernel's frequency setting, as it was read at `rawNs`, after the triples before it.
   *
   * A setting of the host's own daemon tells how the line goes on, were it by a few ppb: without it,
   * such changes would be averaged over. A setting that is not ours on a clock that we steer is
   * another hand's.
   */
  lookAtSetting(rawNs: RawNanos, freqPpb: number): void {
    const before = this.#settingPpb;
    const since = this.#lookedRawNs;
    this.#settingPpb ??= freqPpb;
    this.#lookedRawNs = rawNs;
    if (before === undefined || since === undefined) return;
    if (!this.#steers) {
      if (freqPpb !== before) this.#carry.breakBetween(since, rawNs, freqPpb - before);
      this.#settingPpb = freqPpb;
      return;
    }
    const deed = this.#settingWatch.look(freqPpb, before);
    if (deed === undefined) return;
    this.#deed = deed;
    this.#settingPpb = freqPpb;
  }

  systemAt(rawNs: RawNanos): SystemReading | undefined {
    return this.#carry.systemAt(rawNs);
  }

  /** The setting was written just after `rawNs`. */
  wroteFrequency(rawNs: RawNanos, freqPpb: number): void {
    this.#carry.breakAt(rawNs, freqPpb - this.settingPpb, 0);
    this.#settingPpb = freqPpb;
  }

  /** The clock was stepped just after `rawNs`. */
  wroteStep(rawNs: RawNanos, stepNs: number): void {
    this.#carry.breakAt(rawNs, 0, stepNs);
    this.#sent.length = 0;
    this.#received.length = 0;
    this.#silentUntil = addNs(rawNs, STEP_SILENCE_NS);
  }

  /** Forgets the stamps that wait: they are for numbers that are no longer dealt. */
  clearPending(): void {
    this.#sent.length = 0;
    this.#received.length = 0;
  }

  /** Hands the stamps up to the close of a round to their edges; later ones stay. */
  deliver(edges: ReadonlyMap<number, Edge>, closeRawNs: RawNanos): void {
    const base = addNs(closeRawNs, -SECOND_NS);
    this.#deliver(this.#sent, "sent", edges, base);
    this.#deliver(this.#received, "received", edges, base);
  }

  #deliver(
    pending: PendingStamps,
    kind: "sent" | "received",
    edges: ReadonlyMap<number, Edge>,
    base: RawNanos,
  ): void {
    const count = pending.length;
    if (this.#scratch.length < count) this.#scratch = new Float64Array(count * 2);
    const rawNs = this.#scratch;
    this.#carry.toRaw(pending.systemNs, count, base, rawNs);
    const silentNs = Number(this.#silentUntil - base);
    let left = 0;
    let peer = -1;
    let series: StampSeries | undefined;
    let shiftNs = 0;
    for (let i = 0; i < count; i++) {
      if (rawNs[i] > SECOND_NS) {
        pending.move(i, left++);
        continue;
      }
      // Stamps of one neighbour often come in a row.
      if (pending.peer[i] !== peer) {
        peer = pending.peer[i];
        const own = edges.get(peer)?.own;
        series = own?.[kind];
        shiftNs = own ? diffNs(base, own.baseRawNs) : 0;
      }
      if (!series) continue;
      if (rawNs[i] >= silentNs) series.push(pending.probe[i], rawNs[i] + shiftNs);
      else this.droppedCount++;
    }
    pending.length = left;
  }
}
