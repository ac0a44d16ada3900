/**
 * One edge as an agent sees it: the neighbour, the stamps of both ends, and the last fit.
 *
 * The owner's raw clock is the axis of every fit, whoever computes it. So the window is put
 * together by role (owner, other), not by who is asking, and owner and auditor work on the same
 * numbers.
 */
import { create } from "@bufbuild/protobuf";
import { type EdgeFitResult, EdgeTracker, keepClear, type ProbeColumns } from "@ttcs/estimator";
import {
  type EdgeFit,
  EdgeFitSchema,
  type ExchangeFlush,
  type HeldLine,
  type Neighbour,
  unpackStamps,
} from "@ttcs/protocol";
import {
  addNs,
  type RawNanos,
  rawNanos,
  SECOND_NS,
  WINDOW_NS,
  WINDOW_SPAN_NS_MIN,
} from "@ttcs/units";
import { EndStamps, type StampSeries } from "./stamp-series.ts";

/** More stamps than this in one flush are no half second of probing (500 pairs/s make 500). */
const COLUMN_LIMIT = 8192;

/** A neighbour that has missed more flushes than this was away: its process began anew. */
const MISSED_MAX = 1n;
/** So many rounds later its own window is full again. */
const RETURNING_ROUNDS = 5n;

const newColumns = (): ProbeColumns => ({
  length: 0,
  probe: new Float64Array(1024),
  txNs: new Float64Array(1024),
  rxNs: new Float64Array(1024),
});

const newStamps = () => ({
  probe: new Float64Array(COLUMN_LIMIT),
  ns: new Float64Array(COLUMN_LIMIT),
});

// Reused by all edges: flushes and fits come one after the other.
const sent = newStamps();
const received = newStamps();
const forward = newColumns();
const reverse = newColumns();
const clearForward = newColumns();
const clearReverse = newColumns();

/** The newest trusted fit as this host sees it: two raw clocks at one instant. */
export interface EdgeLine {
  readonly ownRawNs: RawNanos;
  readonly peerRawNs: RawNanos;
  /** What the neighbour's raw clock gains on this host's (ppb), and its standard uncertainty. */
  readonly ratePpb: number;
  readonly rateSigmaPpb: number;
  /** The two belong together within this, guaranteed (ns). */
  readonly intervalNs: number;
}

/** See the module head. */
export class Edge {
  #neighbour: Neighbour;
  readonly own = new EndStamps();
  readonly peer = new EndStamps();
  /** Round of the newest flush that came from the neighbour. */
  peerRound = 0n;
  /** The neighbour was away and has no window of its own yet, up to this round. */
  #returningUntil = 0n;
  /** Round in which this end fitted last. */
  fittedRound = 0n;
  lastFit: EdgeFit | undefined;
  /** Of the newest fit that was trusted. */
  line: EdgeLine | undefined;
  /** Domain time as the neighbour was last told it. */
  held: HeldLine | undefined;
  /** True when the neighbour is in another region: its windows are longer, and sieved. */
  readonly isGateway: boolean;
  #tracker = new EdgeTracker();
  /** Rate of the other clock against the owner's by the last trusted fit, minus one. */
  #slope: number | undefined;

  constructor(neighbour: Neighbour, isGateway = false) {
    this.#neighbour = neighbour;
    this.isGateway = isGateway;
  }

  get neighbour(): Neighbour {
    return this.#neighbour;
  }

  /** Dealt anew. The course of the clocks was counted on the owner's axis: another owner, another. */
  set neighbour(neighbour: Neighbour) {
    if (neighbour.owner !== this.#neighbour.owner) {
      this.#tracker = new EdgeTracker();
      this.#slope = undefined;
    }
    this.#neighbour = neighbour;
  }

  /** True where this end must fit in the neighbour's stead: what that one knew of the edge is lost. */
  standsIn(round: bigint): boolean {
    const leftRounds = this.#returningUntil - round;
    // A round that no clock shows is nobody's absence.
    return !this.#neighbour.owner && leftRounds >= 0n && leftRounds <= RETURNING_ROUNDS;
  }

  /**
   * Takes the neighbour's stamps of one round.
   *
   * @param windowNs length of a window
   * @returns why the flush is refused; undefined: taken
   */
  takeFlush(flush: ExchangeFlush, windowNs: number): string | undefined {
    if (!(flush.carrySigmaNs >= 0 && flush.carryBoundNs >= 0)) return "carry error out of range";
    const sentCount = unpackStamps(flush.sent, sent.probe, sent.ns);
    const receivedCount = unpackStamps(flush.received, received.probe, received.ns);
    if (sentCount < 0 || receivedCount < 0) return "its columns do not agree, or are too long";
    const base = rawNanos(flush.baseRawNs);
    const end = this.peer;
    // A flush counts from where a window of 2 s begins; this one may be longer.
    const start = addNs(base, WINDOW_NS - windowNs);
    // A window away: the first flush, a neighbour that was silent, or one that has booted.
    if (Math.abs(Number(start - end.baseRawNs)) >= windowNs) end.restart(start);
    const shiftNs = Number(base - end.baseRawNs);
    end.sent.append(sent.probe, sent.ns, sentCount, shiftNs);
    end.received.append(received.probe, received.ns, receivedCount, shiftNs);
    if (flush.voidBeforeRawNs > end.baseRawNs) end.slideTo(rawNanos(flush.voidBeforeRawNs));
    end.slideTo(start);
    end.carry = { sigmaNs: flush.carrySigmaNs, boundNs: flush.carryBoundNs };
    const round = flush.header?.round ?? 0n;
    if (this.peerRound > 0n && round - this.peerRound > MISSED_MAX + 1n) {
      this.#returningUntil = round + RETURNING_ROUNDS;
    }
    this.peerRound = round;
    this.held = flush.held;
    return undefined;
  }

  /** Fits the window of `windowNs` that both ends hold now. `ownNumber` is this host's number. */
  fit(ownNumber: number, windowNs: number): EdgeFit {
    const mine = this.neighbour.owner;
    const [owner, other] = mine ? [this.own, this.peer] : [this.peer, this.own];
    owner.settle();
    other.settle();
    join(owner.sent, other.received, forward);
    join(other.sent, owner.received, reverse);
    const spanNs = Math.min(span(forward), span(reverse));
    const isShort = spanNs < WINDOW_SPAN_NS_MIN;
    if (isShort && (spanNs === 0 || this.isGateway)) return this.#distrust(ownNumber, spanNs);
    if (this.isGateway) {
      const slope = this.#slope;
      keepClear(forward, slope, clearForward);
      keepClear(reverse, slope === undefined ? undefined : -slope, clearReverse);
    }
    const window = {
      forward: this.isGateway ? clearForward : forward,
      reverse: this.isGateway ? clearReverse : reverse,
      ownerCarry: owner.carry,
      otherCarry: other.carry,
      // What was sieved out is not lost.
      sentForwardCount:
        owner.sent.length - (this.isGateway ? forward.length - clearForward.length : 0),
      sentReverseCount:
        other.sent.length - (this.isGateway ? reverse.length - clearReverse.length : 0),
      ownerBaseRawNs: owner.baseRawNs,
      otherBaseRawNs: other.baseRawNs,
      closeNs: windowNs,
    };
    // Too short to begin with; enough to go on along a course that is known.
    const result = isShort ? this.#tracker.goOn(window) : this.#tracker.fit(window);
    if (!result) return this.#distrust(ownNumber, spanNs);
    if (result.trusted) this.#slope = result.freqPpb * 1e-9;
    this.lastFit = create(EdgeFitSchema, {
      ...this.#ends(ownNumber),
      ownerBaseRawNs: owner.baseRawNs,
      otherBaseRawNs: other.baseRawNs,
      ...fitFields(result),
    });
    if (result.trusted) this.line = this.#lineOf(this.lastFit);
    return this.lastFit;
  }

  /** A fit from this host's side; offsets count as the other's clock minus the owner's. */
  #lineOf(fit: EdgeFit): EdgeLine {
    const ownerRawNs = addNs(rawNanos(fit.ownerBaseRawNs), fit.midNs);
    const otherRawNs = addNs(rawNanos(fit.otherBaseRawNs), fit.midNs + fit.offsetNs);
    const mine = this.neighbour.owner;
    return {
      ownRawNs: mine ? ownerRawNs : otherRawNs,
      peerRawNs: mine ? otherRawNs : ownerRawNs,
      ratePpb: mine ? fit.freqPpb : -fit.freqPpb,
      rateSigmaPpb: fit.freqSigmaPpb,
      intervalNs: Math.max(fit.belowBoundNs, fit.aboveBoundNs),
    };
  }

  #distrust(ownNumber: number, spanNs: number): EdgeFit {
    const distrust = `only ${(spanNs / SECOND_NS).toFixed(1)} s of probes so far`;
    this.lastFit = create(EdgeFitSchema, { ...this.#ends(ownNumber), distrust });
    return this.lastFit;
  }

  #ends(ownNumber: number) {
    const { owner: mine, hostNumber } = this.neighbour;
    const [owner, other] = mine ? [ownNumber, hostNumber] : [hostNumber, ownNumber];
    return { owner, other, audit: !mine };
  }
}

/** Matches sent and received stamps by probe number; both series are in rising order. */
function join(sent: StampSeries, received: StampSeries, out: ProbeColumns): void {
  const limit = Math.min(sent.length, received.length);
  if (out.probe.length < limit) {
    out.probe = new Float64Array(limit * 2);
    out.txNs = new Float64Array(limit * 2);
    out.rxNs = new Float64Array(limit * 2);
  }
  let count = 0;
  for (let i = 0, j = 0; i < sent.length && j < received.length; ) {
    const difference = sent.probe[i] - received.probe[j];
    if (difference < 0) i++;
    else if (difference > 0) j++;
    else {
      out.probe[count] = sent.probe[i];
      out.txNs[count] = sent.ns[i++];
      out.rxNs[count++] = received.ns[j++];
    }
  }
  out.length = count;
}

/** Time from the first to the last probe (ns). */
const span = (columns: ProbeColumns): number =>
  columns.length > 0 ? columns.txNs[columns.length - 1] - columns.txNs[0] : 0;

function fitFields(result: EdgeFitResult) {
  if (!result.trusted) {
    const { lossForward, lossReverse } = result;
    return { distrust: result.reason, lossForward, lossReverse };
  }
  const { trusted: _, ...fields } = result;
  return fields;
}
