/**
 * Which line this host obeys, and which it does not.
 *
 * Every correction passes four gates: its own numbers and the jump from the line in force
 * (`guardCorrection`), the learnt rate (there too), the own edges to anchors (`compareWithAnchors`),
 * and the account of all that corrections have done so far (`Ledger`). One that is refused changes
 * nothing; the line in force is held over. An account that is overdrawn is a panic: no correction is
 * obeyed any more until a person has looked, and a restart does not change that.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ACCUMULATED_LIMIT_NS,
  type AnchorVerdict,
  compareWithAnchors,
  DomainLine,
  type DomainSegment,
  guardCorrection,
  jumpLimitNs,
  Ledger,
  RATE_LIMIT_PPB,
  vouchedBasePpb,
} from "@ttcs/discipline";
import type { Correction, Header, HeldLineSchema } from "@ttcs/protocol";
import { type RawNanos, ROUND_NS, rawNanos, SECOND_NS, unixNanos } from "@ttcs/units";
import type { AnchorWatch } from "./anchor-watch.ts";
import { ageS } from "./line-error.ts";
import type { SavedState } from "./saved-state.ts";

/** A round may be missed; after a longer silence, trust is counted from the start. */
const ROUND_GAP_MAX = 2n;

const NOBODY: AnchorVerdict = {
  compared: 0,
  contradicting: 0,
  contradicts: false,
  apartNs: Number.NaN,
  fasterPpb: Number.NaN,
};

/** See the module head. */
export class Obedience {
  readonly #steers: boolean;
  #ledger = new Ledger();
  /** When a correction was obeyed last. */
  #obeyedRawNs: RawNanos | undefined;
  line: DomainLine | undefined;
  correction: Correction | undefined;
  /** The line that came last, obeyed or not: what neighbours are told. */
  proposed: { readonly line: DomainLine; readonly boundNs: number } | undefined;
  term = 0n;
  round = 0n;
  trustedRounds = 0;
  /** Why the newest correction was not obeyed; empty: it was. */
  refused = "";
  /** Why no correction is obeyed any more; undefined: they are. */
  panic: string | undefined;
  /** What the anchors said of the newest correction. */
  anchors = NOBODY;
  lockedBefore = false;
  /** How far the anchors say that the line in force is off (ns); 0 while they agree. */
  doubtNs = 0;
  #doubted = false;

  /** @param steers false: the line moves no clock, and the limits on moving one do not count. */
  constructor(steers: boolean) {
    this.#steers = steers;
  }

  get ledger() {
    return this.#ledger.state;
  }

  /**
   * Domain time as it was last told, obeyed or not, at a raw instant: neighbours compare it with what
   * they are told, so that a whole fleet that is corrected by much does not wait for each other.
   */
  heldAt(rawNs: RawNanos): MessageInitShape<typeof HeldLineSchema> | undefined {
    const { proposed, ledger, lockedBefore } = this;
    if (!proposed) return undefined;
    const at = proposed.line.at(rawNs);
    return {
      rawNs,
      domainUnixNs: at.unixNs,
      domainFractionNs: at.fractionNs,
      freqPpb: proposed.line.meanFreqPpb(rawNs, ROUND_NS),
      boundNs: proposed.boundNs,
      ...(ledger && lockedBefore ? { baseFreqPpb: ledger.basePpb, learntS: ledger.learntS } : {}),
    };
  }

  /** Goes on where an earlier life of this agent stopped. */
  resume(saved: SavedState, sameBoot: boolean): void {
    this.#ledger = new Ledger(saved.ledger);
    this.panic = saved.panic;
    this.term = saved.term;
    if (!sameBoot || !saved.correction) return;
    this.round = saved.round;
    this.correction = saved.correction;
    this.line = new DomainLine(saved.correction.segments.map(toSegment));
    this.lockedBefore = saved.lockedBefore;
    this.#obeyedRawNs = saved.rawNs;
    this.#ledger.resume(this.line, saved.rawNs);
  }

  /** Checks and takes a correction; returns why it is refused. */
  take(
    header: Header | undefined,
    correction: Correction,
    nowRawNs: RawNanos,
    watch: AnchorWatch,
  ): string | undefined {
    const term = header?.term ?? 0n;
    const round = header?.round ?? 0n;
    const reason = this.#judge(correction, { term, round }, nowRawNs, watch);
    if (typeof reason === "string") {
      this.refused = `refused: ${reason}`;
      return reason;
    }
    // Another coordinator may go on where the one before has ended: rounds count on.
    const follows = round > this.round && round - this.round <= ROUND_GAP_MAX;
    this.trustedRounds = correction.trusted ? (follows ? this.trustedRounds : 0) + 1 : 0;
    const { line } = reason;
    if (this.lockedBefore) this.#account(line, nowRawNs, watch);
    this.line = line;
    this.correction = correction;
    this.term = term;
    this.round = round;
    this.#obeyedRawNs = nowRawNs;
    this.refused = "";
    this.#doubted = false;
    this.doubtNs = 0;
    return undefined;
  }

  /** The clock is LOCKED: from now on all limits count. */
  locked(nowRawNs: RawNanos): void {
    if (this.lockedBefore || !this.line) return;
    this.lockedBefore = true;
    const freqPpb = this.line.meanFreqPpb(nowRawNs, SECOND_NS);
    this.#ledger.begin(freqPpb);
    // What was learnt on another machine, or before a repair, is worth nothing.
    const learntPpb = this.#ledger.state?.basePpb ?? freqPpb;
    if (Math.abs(freqPpb - learntPpb) > RATE_LIMIT_PPB) this.#ledger.rebase(freqPpb);
    this.#ledger.commit(this.line, nowRawNs);
  }

  #judge(
    correction: Correction,
    { term, round }: { readonly term: bigint; readonly round: bigint },
    nowRawNs: RawNanos,
    watch: AnchorWatch,
  ): string | { readonly line: DomainLine } {
    const segments = correction.segments.map(toSegment);
    const { rawJumpNs } = watch;
    const limitNs = jumpLimitNs(watch.intervalNs) + watch.slackNs;
    const result = guardCorrection(
      { ...correction, term, round, segments },
      {
        term: this.term,
        round: this.round,
        line: this.line,
        lockedBefore: this.lockedBefore,
        steers: this.#steers,
        jumpLimitNs: limitNs,
        ageS: this.#obeyedRawNs === undefined ? 0 : ageS(this.#obeyedRawNs, nowRawNs),
        rawJumpNs,
        basesPpb: this.#bases(watch),
      },
      nowRawNs,
    );
    if (!result.ok) return result.reason;
    const { line } = result;
    this.proposed = { line, boundNs: correction.boundNs };
    this.anchors = compareWithAnchors(line, correction.boundNs, watch.samples);
    if (!this.#steers) return { line };
    if (this.panic !== undefined) return this.panic;
    if (this.anchors.contradicts) {
      this.#doubt(watch, nowRawNs);
      return contradictionOf(this.anchors);
    }
    if (!this.lockedBefore) return { line };
    const entry = this.#ledger.propose(line, nowRawNs, rawJumpNs);
    if (!entry) return { line };
    if (!(Math.abs(entry.burstNs) <= limitNs)) {
      return `the line has moved ${Math.round(entry.burstNs)} ns too fast, the limit is ${limitNs} ns`;
    }
    if (!(Math.abs(entry.accumulatedNs) <= ACCUMULATED_LIMIT_NS)) {
      this.panic = panicOf(entry.accumulatedNs);
      return this.panic;
    }
    return { line };
  }

  /**
   * What is told contradicts the anchors, and what was told before may have led there: from now on the
   * clock keeps the learnt pace, and its bound covers what the anchors say of it.
   */
  #doubt(watch: AnchorWatch, nowRawNs: RawNanos): void {
    const { line } = this;
    const learnt = this.#ledger.state;
    if (!line || !learnt || !this.lockedBefore) return;
    const { apartNs } = compareWithAnchors(line, 0, watch.samples);
    if (!this.#doubted) {
      const at = line.at(nowRawNs);
      const vouched = vouchedBasePpb(watch.samples);
      const freqPpb = vouched === undefined ? learnt.basePpb : vouched;
      this.line = new DomainLine([
        { rawNs: nowRawNs, domainUnixNs: at.unixNs, domainFractionNs: at.fractionNs, freqPpb },
      ]);
    }
    this.#doubted = true;
    this.doubtNs = Math.abs(apartNs) + watch.intervalNs;
  }

  #bases(watch: AnchorWatch): number[] {
    const learnt = this.#ledger.state;
    if (!learnt) return [];
    const vouched = vouchedBasePpb(watch.samples);
    return vouched === undefined ? [learnt.basePpb] : [learnt.basePpb, vouched];
  }

  #account(line: DomainLine, nowRawNs: RawNanos, watch: AnchorWatch): void {
    const freqPpb = line.meanFreqPpb(nowRawNs, SECOND_NS);
    const learntPpb = this.#ledger.state?.basePpb ?? freqPpb;
    // The guard has let it pass, so the anchors vouch for it: the crystal runs differently now.
    if (Math.abs(freqPpb - learntPpb) > RATE_LIMIT_PPB) this.#ledger.rebase(freqPpb);
    const { rawJumpNs } = watch;
    this.#ledger.commit(line, nowRawNs, rawJumpNs);
    if (rawJumpNs !== 0 || watch.turnPpb !== 0) {
      this.#ledger.rebase(freqPpb);
      watch.settle(nowRawNs);
    }
  }
}

function contradictionOf({ compared, contradicting, apartNs }: AnchorVerdict): string {
  const byUs = (apartNs / 1000).toFixed(1);
  return (
    "corrections contradict own edges to anchors: " +
    `${contradicting} of ${compared} disagree, by ${byUs} us`
  );
}

function panicOf(accumulatedNs: number): string {
  const ms = (accumulatedNs / 1e6).toFixed(1);
  const limitMs = ACCUMULATED_LIMIT_NS / 1e6;
  return (
    `panic: corrections have moved domain time by ${ms} ms against this host's own clock ` +
    `at its learnt rate, the limit is ${limitMs} ms`
  );
}

/** A segment of a message as one of a line. */
export function toSegment(s: Correction["segments"][number]): DomainSegment {
  return {
    rawNs: rawNanos(s.rawNs),
    domainUnixNs: unixNanos(s.domainUnixNs),
    domainFractionNs: s.domainFractionNs,
    freqPpb: s.freqPpb,
  };
}
