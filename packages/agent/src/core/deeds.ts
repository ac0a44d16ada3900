/**
 * What has happened to this host's clocks, named: a pause, another hand, a move to another machine.
 *
 * Looks at the beat of the batches (a gap means that the agent was not run), at what the carry and the
 * kernel's setting betray (`foreign-hand.ts`), and at what the edges to anchors show of the raw clock
 * (`anchor-watch.ts`). Each is told once.
 *
 * Cannot see: a pause shorter than a second, and a raw clock that was moved by less than the line is
 * followed by anyway.
 */
import { diffNs, type RawNanos, SECOND_NS } from "@ttcs/units";
import type { AnchorWatch } from "./anchor-watch.ts";
import type { Carrier } from "./carrier.ts";

/** Batches come twenty times a second; an agent that was silent for longer was not run (ns). */
const PAUSE_NS = SECOND_NS;

/** Something that spoils a window. */
export interface Deed {
  readonly reason: string;
  readonly advice: string;
  /** What it has added to system minus domain (ns). */
  readonly movedNs: number;
  /** Stamps before this instant are worthless. */
  readonly beforeRawNs: RawNanos;
  /** True: the host's own time daemon did it, as is its business. */
  readonly own: boolean;
}

const HAND_ADVICE =
  "stop the other program that writes the clock: chronyd, ntpd, systemd-timesyncd, ptp4l or phc2sys";
const MOVE_ADVICE = "nothing to do if this machine was suspended, migrated or restored on purpose";

/** The clock is not where the line of an earlier life says: somebody moved it meanwhile. */
export const movedMeanwhile = (movedNs: number): Deed => ({
  reason: `CLOCK_REALTIME was moved by ${ms(movedNs)} while the agent was not running`,
  advice: HAND_ADVICE,
  movedNs,
  beforeRawNs: 0n as RawNanos,
  own: false,
});

/** See the module head. */
export class DeedWatch {
  readonly #steers: boolean;
  #lastBatchRawNs: RawNanos | undefined;
  #jumpToldNs = 0;
  #turnToldPpb = 0;
  #lostTold = false;

  /** @param steers false: the host's own time daemon sets the clock. */
  constructor(steers: boolean) {
    this.#steers = steers;
  }

  /** What a batch that ends at `nowRawNs` shows, once its readings have been taken. */
  look(nowRawNs: RawNanos, carrier: Carrier): Deed | undefined {
    const last = this.#lastBatchRawNs;
    this.#lastBatchRawNs = nowRawNs;
    const gapNs = last === undefined ? 0 : diffNs(nowRawNs, last);
    const change = carrier.takeForeign(nowRawNs);
    if (change) {
      const { deed, beforeRawNs, stepNs } = change;
      const hand = this.#steers ? "another hand on CLOCK_REALTIME" : "the host's own time daemon";
      const own = !this.#steers;
      return { reason: `${hand} ${deed}`, advice: HAND_ADVICE, movedNs: stepNs, beforeRawNs, own };
    }
    if (gapNs < PAUSE_NS) return undefined;
    const reason = `the agent was not run for ${(gapNs / SECOND_NS).toFixed(1)} s: paused or starved`;
    return { reason, advice: MOVE_ADVICE, movedNs: 0, beforeRawNs: nowRawNs, own: false };
  }

  /** What the edges to anchors show after a round. */
  lookAtEdges(watch: AnchorWatch, nowRawNs: RawNanos): Deed | undefined {
    const { rawJumpNs, turnPpb } = watch;
    const jumped = rawJumpNs !== 0 && this.#jumpToldNs === 0;
    const turned = turnPpb !== 0 && this.#turnToldPpb === 0;
    const lost = watch.offCourse && !this.#lostTold;
    this.#lostTold = watch.offCourse;
    this.#jumpToldNs = rawJumpNs;
    this.#turnToldPpb = turnPpb;
    if (!jumped && !turned && !lost) return undefined;
    const what = jumped
      ? `jumped by ${ms(-rawJumpNs)}`
      : turned
        ? `changed its rate by ${(-turnPpb / 1000).toFixed(1)} ppm`
        : "has left its course";
    return {
      reason: `this host's raw clock ${what} against most neighbours: migrated or restored?`,
      advice: MOVE_ADVICE,
      movedNs: jumped ? -rawJumpNs : 0,
      // The edges have found the new course already.
      beforeRawNs: nowRawNs,
      own: false,
    };
  }
}

const ms = (ns: number): string => `${ns < 0 ? "-" : "+"}${(Math.abs(ns) / 1e6).toFixed(3)} ms`;
