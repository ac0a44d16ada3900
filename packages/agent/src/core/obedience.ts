/**
 * Which line this host obeys, and which it does not.
 *
 * Every correction passes four gates: its own numbers and the jump from the line in force
 * (`guardCorrection`), the learnt rate (there too), the own edges to anchors (`compareWithAnchors`),
 * and the account of all that corrections have done so far (`Ledger`). One that is refused changes
 * nothing; the line in force is held over. Two things make a jump legal that would not be: the line in
 * force was obeyed when edges could tell less apart than now, or the anchors themselves vouch for the
 * new one for some seconds (`Confirmation`). An account that is overdrawn is a panic: no correction is
 * obeyed any more until a person has looked, and a restart does not change that.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ACCUMULATED_LIMIT_NS,
  type AnchorVerdict,
  Confirmation,
  compareWithAnchors,
  DomainLine,
  type DomainSegment,
  guardCorrection,
  isConfirmed,
  jumpLimitNs,
  Ledger,
  type ProposedLine,
  RATE_LIMIT_PPB,
  vouchedBasePpb,
} from "@ttcs/discipline";
import {
  type Correction,
  DomainSegmentSchema,
  type Header,
  type HeldLineSchema,
} from "@ttcs/protocol";
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

/** A line to obey; `confirmed`: although it jumps, for the anchors vouch for it. */
interface Judged {
  readonly line: DomainLine;
  readonly confirmed: boolean;
}

/** A line before the account: what it may have moved faster than is legal (ns). */
interface Charge {
  readonly proposed: ProposedLine;
  readonly confirmed: boolean;
  readonly limitNs: number;
}

/** See the module head. */
export class Obedience {
  readonly #steers: boolean;
  #ledger = new Ledger();
  /** When a correction was obeyed last. */
  #obeyedRawNs: RawNanos | undefined;
  line: DomainLine | undefined;
  correction: Correction | undefined;
  /** The line that came last, obeyed or not: what neighbours are told. */
  proposed: ProposedLine | undefined;
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
  readonly #confirmation = new Confirmation();
  /** What most edges could tell apart when the line in force was obeyed (ns). */
  #obeyedIntervalNs = 0;

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
      vouched: this.#vouches,
      ...(ledger && lockedBefore ? { baseFreqPpb: ledger.basePpb, learntS: ledger.learntS } : {}),
    };
  }

  /** By how much the line in force runs faster than the source's own pace (ppb); in doubt it keeps the pace. */
  get excessPpb(): number {
    return this.#doubted ? 0 : (this.correction?.excessPpb ?? 0);
  }

  /** What the next life is to know: in doubt the line that was kept, and the doubt in its bound. */
  get kept(): Correction | undefined {
    const { correction, line, doubtNs } = this;
    if (!correction || !line || !this.#doubted) return correction;
    const { rawNs, domainUnixNs, domainFractionNs, freqPpb } = line.last;
    const segment = { rawNs, domainUnixNs, domainFractionNs, freqPpb };
    return {
      ...correction,
      // The reference's own line is domain time by definition, but not the one that it keeps in doubt.
      isReference: false,
      segments: [create(DomainSegmentSchema, segment)],
      boundNs: correction.boundNs + doubtNs,
      localBoundNs: correction.localBoundNs + doubtNs,
      excessPpb: 0,
    };
  }

  /** True when the line that is told has passed all limits on a clock that is steered. */
  get #vouches(): boolean {
    const { refused, lockedBefore, line, proposed } = this;
    return this.#steers && lockedBefore && refused === "" && line === proposed?.line;
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
    const { line, confirmed } = reason;
    if (this.lockedBefore) this.#account(line, nowRawNs, watch);
    if (confirmed) this.#ledger.excuse();
    this.#confirmation.reset();
    this.#noteInterval(watch);
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
  ): string | Judged {
    const segments = correction.segments.map(toSegment);
    const { rawJumpNs } = watch;
    const limitNs = this.#jumpLimitNs(watch);
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
    if (!result.ok && !result.jumped) {
      this.#confirmation.reset();
      return result.reason;
    }
    const line = result.ok ? result.line : result.jumped!;
    const proposed = { line, boundNs: correction.boundNs };
    // A line that jumps away is told to nobody before it is confirmed.
    const confirmed = !result.ok && this.#isConfirmed(proposed, nowRawNs, watch);
    if (!result.ok && !confirmed) return result.reason;
    this.proposed = proposed;
    this.anchors = compareWithAnchors(line, correction.boundNs, watch.samples);
    if (!this.#steers) return { line, confirmed };
    if (this.panic !== undefined) return this.panic;
    if (this.anchors.contradicts) {
      this.#confirmation.reset();
      this.#doubt(watch, nowRawNs);
      return contradictionOf(this.anchors);
    }
    return this.lockedBefore
      ? this.#charge({ proposed, confirmed, limitNs }, nowRawNs, watch)
      : { line, confirmed };
  }

  /** What the account says of a line that nothing else objects to. */
  #charge(
    { proposed, confirmed, limitNs }: Charge,
    nowRawNs: RawNanos,
    watch: AnchorWatch,
  ): string | Judged {
    const { line } = proposed;
    const entry = this.#ledger.propose(line, nowRawNs, watch.rawJumpNs);
    if (!entry) return { line, confirmed };
    const tooFast = !confirmed && !(Math.abs(entry.burstNs) <= limitNs);
    const excused = tooFast && this.#isConfirmed(proposed, nowRawNs, watch);
    if (tooFast && !excused) {
      return `the line has moved ${Math.round(entry.burstNs)} ns too fast, the limit is ${limitNs} ns`;
    }
    if (!(Math.abs(entry.accumulatedNs) <= ACCUMULATED_LIMIT_NS)) {
      this.panic = panicOf(entry.accumulatedNs);
      return this.panic;
    }
    return { line, confirmed: confirmed || excused };
  }

  /**
   * Where half of the anchors contradict a line that is obeyed, or none is heard, it is no sharper than
   * before. One that always contradicts must not keep the limit wide.
   */
  #noteInterval({ intervalNs }: AnchorWatch): void {
    if (2 * this.anchors.contradicting < this.anchors.compared) {
      this.#obeyedIntervalNs = intervalNs;
    } else if (intervalNs > this.#obeyedIntervalNs) this.#obeyedIntervalNs = intervalNs;
  }

  /** A line that was obeyed when edges told little apart may be off by as much: the way back is free. */
  #jumpLimitNs({ intervalNs, slackNs }: AnchorWatch): number {
    return Math.max(jumpLimitNs(intervalNs), jumpLimitNs(this.#obeyedIntervalNs)) + slackNs;
  }

  #isConfirmed(proposed: ProposedLine, nowRawNs: RawNanos, { samples }: AnchorWatch): boolean {
    const { line } = this;
    if (!line || !this.#steers) return false;
    return this.#confirmation.hears(isConfirmed(proposed, line, samples), nowRawNs);
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
