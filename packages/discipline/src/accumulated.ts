/**
 * How far corrections have moved domain time away from the host's own clock, in all.
 *
 * Problem: a coordinator that lies consistently to a whole fleet, each time by no more than any limit
 * allows, is seen by no edge. Approach: the raw clock times the frequency that the host has learnt is
 * the host's own opinion of time. The ledger sums up by how much lines have left it,
 *
 *   accumulated += (domain gained) - (raw gained) (1 + base)
 *
 * while the base follows the lines' pace with `LEARN_S`. A pace that is off by d for good comes to
 * d x LEARN_S and stays there: 8 ms for a far pull of 10 ppm, which is legal for ever; with 2.5 ppm of
 * a crystal on top it is the limit of 10 ms. A steady 50 ppm is stopped after three minutes even when
 * nothing else sees it. What has been lived with for a day is the new normal (`FORGET_S`).
 *
 * The same moves go into a bucket that leaks at the legal pace: what comes in a burst, in one jump or a
 * staircase of them, is refused long before the account is overdrawn.
 *
 * Time without corrections is not counted further than the jump at its end exceeds what clocks may do
 * unheard of. Cannot see: a fleet that is drawn away by less than the rate that is legal
 * (`RATE_LIMIT_PPB`), until the account is overdrawn.
 */
import type { RawNanos } from "@ttcs/units";
import type { DomainInstant, DomainLine } from "./domain-line.ts";
import { RATE_LIMIT_PPB, unheardOfNs } from "./limits.ts";

/** Time constant of learning (s), and of the first minutes (s). */
const LEARN_S = 800;
const LEARN_S_MIN = 60;
/** Time constant of forgetting what was accumulated (s). */
const FORGET_S = 86_400;

/** What outlives a restart. */
export interface LedgerState {
  /** Learnt rate of domain time against raw, minus one (ppb). */
  readonly basePpb: number;
  /** For how long it was learnt (s). */
  readonly learntS: number;
  readonly accumulatedNs: number;
}

/** What a line would come to. */
export interface Proposed extends LedgerState {
  /** How far lines have moved faster than they may, of late (ns). */
  readonly burstNs: number;
}

/** See the module head. */
export class Ledger {
  #state: LedgerState | undefined;
  #burstNs = 0;
  #last: { readonly rawNs: RawNanos; readonly at: DomainInstant } | undefined;

  /** @param saved of an earlier life */
  constructor(saved?: LedgerState) {
    this.#state = saved;
  }

  get state(): LedgerState | undefined {
    return this.#state;
  }

  /** What the account would be with this line. Undefined before there is one. */
  propose(line: DomainLine, nowRawNs: RawNanos, rawJumpNs = 0): Proposed | undefined {
    return this.#enter(line, nowRawNs, rawJumpNs);
  }

  /**
   * Takes a line that is obeyed from `nowRawNs` on into the account.
   *
   * @param rawJumpNs how far the raw clock fell behind since the last, as the edges to anchors show
   */
  commit(line: DomainLine, nowRawNs: RawNanos, rawJumpNs = 0): void {
    const entry = this.#enter(line, nowRawNs, rawJumpNs);
    if (entry) {
      const { burstNs, ...state } = entry;
      this.#state = state;
      this.#burstNs = burstNs;
    }
    this.#last = { rawNs: nowRawNs, at: line.at(nowRawNs) };
  }

  /** The account begins: this is what the clock needs to keep pace (ppb). */
  begin(basePpb: number): void {
    this.#state ??= { basePpb, learntS: 0, accumulatedNs: 0 };
  }

  /** The raw clock has another rate from now on: the edges to anchors vouch for it (ppb). */
  rebase(basePpb: number): void {
    this.#burstNs = 0;
    if (this.#state) this.#state = { ...this.#state, basePpb, learntS: 0 };
  }

  /** The edges to anchors have confirmed a jump: it is no part of a burst. */
  excuse(): void {
    this.#burstNs = 0;
  }

  /** Goes on with a line of an earlier life, from when it was held. */
  resume(line: DomainLine, rawNs: RawNanos): void {
    this.#last = { rawNs, at: line.at(rawNs) };
  }

  #enter(line: DomainLine, nowRawNs: RawNanos, rawJumpNs: number): Proposed | undefined {
    const state = this.#state;
    if (!state) return undefined;
    const at = line.at(nowRawNs);
    const last = this.#last;
    if (!last || nowRawNs <= last.rawNs) return { ...state, burstNs: this.#burstNs };
    const rawGainNs = Number(nowRawNs - last.rawNs);
    const gainNs =
      Number(at.unixNs - last.at.unixNs - (nowRawNs - last.rawNs)) +
      at.fractionNs -
      last.at.fractionNs -
      rawJumpNs;
    const elapsedS = rawGainNs * 1e-9;
    const leftNs = beyond(gainNs - rawGainNs * state.basePpb * 1e-9, unheardOfNs(elapsedS));
    const leakNs = elapsedS * RATE_LIMIT_PPB;
    const learntS = Math.min(LEARN_S, state.learntS + elapsedS);
    const share = 1 - Math.exp(-elapsedS / Math.max(LEARN_S_MIN, learntS));
    return {
      burstNs: beyond(this.#burstNs + leftNs, leakNs),
      basePpb: state.basePpb + share * (leftNs / elapsedS),
      learntS,
      accumulatedNs: state.accumulatedNs * Math.exp(-elapsedS / FORGET_S) + leftNs,
    };
  }
}

/** What of a value lies outside of +-`limit`. */
const beyond = (value: number, limit: number): number =>
  Math.sign(value) * Math.max(0, Math.abs(value) - limit);
