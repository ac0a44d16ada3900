/**
 * One edge through time: each round, what its newest probes say of the offset.
 *
 * A window by itself knows neither how delays are distributed nor where the clocks were heading.
 * Here both are kept: the course of the offset (a `HostFilter` of the two raw clocks' difference)
 * and what delays look like (`delay-model.ts`). In a round
 *
 *  1. the newest probes are set against the predicted course; their likelihood is the round's
 *     measurement (`block-offset.ts`), independent of earlier ones;
 *  2. course and delay models take the new probes in;
 *  3. half the difference of the two directions' floors is added (`floors.ts`), so that the offset
 *     lies midway between the fastest probes of both directions, as in the paper (Geng et al., NSDI
 *     2018). The floors' uncertainty changes as slowly as the models do and is told apart, because
 *     no averaging over rounds takes it away.
 *
 * `fitEdge` fits the whole window by itself at the beginning, whenever probes do not fit the course,
 * and now and then in any case. A window that it does not trust is not used; one off the course
 * begins the edge anew.
 *
 * It cannot see: an asymmetry of the minimum delays, as in `edge-fit.ts`.
 */
import { FIT_AGE_NS, ROUND_NS, SECOND_NS } from "@ttcs/units";
import { blockOffset, type Part } from "./block-offset.ts";
import { type Course, DelayModel, firstAfter, newDelays, sortDelays } from "./delay-model.ts";
import { delaysAbove, guaranteedInterval, type Line } from "./edge-bound.ts";
import {
  type EdgeFitResult,
  type EdgeWindow,
  fitEdge,
  lossOf,
  ROUNDING_SIGMA_NS,
  type TrustedFit,
} from "./edge-fit.ts";
import { Floors } from "./floors.ts";
import { HostFilter } from "./host-filter.ts";
import type { ProbeColumns } from "./pairs.ts";

/** A window, the zeros of its stamps on both raw clocks (ns), and where it ends. */
export interface PlacedWindow extends EdgeWindow {
  readonly ownerBaseRawNs: bigint;
  readonly otherBaseRawNs: bigint;
  /** Owner time of the window's close (ns since its base). */
  readonly closeNs: number;
}

/** Delays of each kind that are remembered, about: half a minute at 100 pairs/s. */
const MEMORY = 6_000;
/** A kind with fewer delays has no likelihood yet. */
const COUNT_MIN = 12;
/** The prior must be finer than this share of a shape's bins, or the likelihood sees no shape. */
const PRIOR_BINS = 25;
/** The same where the window's line would tell less than the course does already. */
const WIDE_PRIOR_BINS = 4;
/** A course without a measurement for so long is stale (s). */
const STALE_S = 6;
/** The whole window is fitted at least once in so many rounds. */
const AUDIT_ROUNDS = 16;
/** What a line through a window misses at its end: this times the power 3/2 of its length in s (ns). */
const LINE_WANDER = 1.5;
/** A newest probe with a number lower than before by this is of a new numbering. */
const RESTART_GAP = 10_000;
/** A block this far from its prediction (sigmas of both) is not of the course. */
const SUSPECT_SIGMAS = 4;
/** Nor is one of which a direction has more delays than this share far below its floor. */
const EARLY_SHARE = 0.1;
/** Then it is set against a course so many times less certain. */
const JUMP_SIGMAS = 8;
/** A course whose measurements were rejected begins again with its rate to within this (ppb). */
const AGAIN_PPB = 1_000;
/** A window's line this far off the course begins the edge anew (sigmas of both, and ns). */
const OFF_SIGMAS = 8;
const OFF_NS = 60;

const forward = newDelays();
const reverse = newDelays();

/** A round's measurement of how far the offset is from the course (ns). */
interface Seen {
  readonly offsetNs: number;
  readonly sigmaNs: number;
}

/** See the module head. */
export class EdgeTracker {
  #filter = new HostFilter();
  readonly #forward = new DelayModel();
  readonly #reverse = new DelayModel();
  readonly #floors = new Floors();
  /** Zeros of the course on both raw clocks, and the last window's close on the owner's (s). */
  #ownerZeroNs = 0n;
  #otherZeroNs = 0n;
  #closeS = Number.NaN;
  /** Newest probes that have been taken. */
  #forwardProbe = -1;
  #reverseProbe = -1;
  /** Rounds since a whole window was fitted; it is asked for when this is large. */
  #unaudited = 0;
  #keptShare = 0;

  /** Forgets everything. */
  reset(): void {
    this.#filter = new HostFilter();
    this.#closeS = Number.NaN;
    this.#forward.clear();
    this.#reverse.clear();
    this.#floors.clear();
  }

  /** Fits the newest window. */
  fit(window: PlacedWindow): EdgeFitResult {
    this.#noteRestarts(window);
    const course = this.#courseAt(window, this.#middleOfNew(window));
    const seen = course && this.#seeBlock(window, course);
    if (course && seen) {
      const fits = this.#fits(seen, course);
      if (fits && ++this.#unaudited < AUDIT_ROUNDS) return this.#follow(window, course, seen);
      const jump = fits ? undefined : this.#seeJump(window, course);
      if (jump) return this.#follow(window, this.#unsure(course), jump);
      if (!fits) return this.#whyOff(window);
    }
    const fit = fitEdge(window);
    if (!fit.trusted) {
      this.#unaudited = AUDIT_ROUNDS;
      return fit;
    }
    this.#unaudited = 0;
    this.#keptShare = fit.keptShare;
    if (!course || this.#isOff(fit, course)) return this.#begin(window, fit);
    return this.#follow(window, course, seen ?? this.#seeFromAfar(window, course, fit));
  }

  /** What a window says of a course that is not known well enough for its newest probes alone. */
  #seeFromAfar(window: PlacedWindow, course: PriorCourse, fit: TrustedFit): Seen {
    const line = lineAgainst(fit, course, window);
    if (line.sigmaNs < course.sigmaNs) return line;
    // With few probes the window is long and clocks wander: its line would never bring the course back.
    const seen = this.#seeBlock(window, course, WIDE_PRIOR_BINS);
    return seen && this.#fits(seen, course) ? seen : line;
  }

  /** The course about an instant of the owner's (ns); undefined: there is none to speak of. */
  #courseAt(window: PlacedWindow, midNs: number): PriorCourse | undefined {
    const ownerNs = Number(window.ownerBaseRawNs - this.#ownerZeroNs);
    const otherNs = Number(window.otherBaseRawNs - this.#otherZeroNs);
    const atS = (midNs + ownerNs) * 1e-9;
    if (!(Math.abs((window.closeNs + ownerNs) * 1e-9 - this.#closeS) < STALE_S)) return undefined;
    const prior = this.#filter.predict(atS);
    return {
      atS,
      midNs,
      zeroNs: otherNs - ownerNs,
      offsetNs: prior.offsetNs - (otherNs - ownerNs),
      slope: prior.freqPpb * 1e-9,
      bend: this.#filter.freqRatePpbPerS * 1e-18,
      sigmaNs: prior.offsetSigmaNs,
    };
  }

  /** What the new probes say; undefined while too little is known of delays. */
  #seeBlock(window: EdgeWindow, course: PriorCourse, bins = PRIOR_BINS): Seen | undefined {
    const [there, back] = [window.forward, window.reverse];
    const [ahead, behind] = [this.#forward, this.#reverse];
    sortDelays(there, there.txNs, this.#forwardProbe, course, 1, ahead.epsilonNs, forward);
    sortDelays(back, back.rxNs, this.#reverseProbe, course, -1, behind.epsilonNs, reverse);
    const parts: Part[] = [];
    for (const kind of ["pure", "rest"] as const) {
      parts.push({ delays: forward[kind], shape: ahead[kind], sign: -1 });
      parts.push({ delays: reverse[kind], shape: behind[kind], sign: 1 });
    }
    const told = parts.filter(
      ({ shape }) => shape.effectiveCount >= COUNT_MIN && bins * course.sigmaNs < shape.reachNs,
    );
    const bothSides = told.some((p) => p.sign > 0) && told.some((p) => p.sign < 0);
    return bothSides ? blockOffset(told, course.sigmaNs) : undefined;
  }

  /** True when the new probes can be of the predicted course. */
  #fits({ offsetNs, sigmaNs }: Seen, course: PriorCourse): boolean {
    // Delays that were never so short: a clock has moved, and the likelihood is blind so far away.
    if (this.#earlyShare(0) > EARLY_SHARE) return false;
    return Math.abs(offsetNs) <= SUSPECT_SIGMAS * Math.hypot(sigmaNs, course.sigmaNs);
  }

  /** Larger share of early delays of the two directions, the offset being so much further (ns). */
  #earlyShare(offsetNs: number): number {
    return Math.max(
      this.#forward.earlyShare(forward, -offsetNs),
      this.#reverse.earlyShare(reverse, offsetNs),
    );
  }

  /** The new probes against a course that may have moved a little; undefined: they fit none. */
  #seeJump(window: EdgeWindow, course: PriorCourse): Seen | undefined {
    const wide = { ...course, sigmaNs: JUMP_SIGMAS * course.sigmaNs };
    const seen = this.#seeBlock(window, wide);
    return seen && this.#fits(seen, wide) && this.#earlyShare(seen.offsetNs) <= EARLY_SHARE
      ? seen
      : undefined;
  }

  /** After a jump the course is so much less certain, and so is its rate. */
  #unsure(course: PriorCourse): PriorCourse {
    const { freqPpb, freqSigmaPpb } = this.#filter.predict(course.atS);
    this.#filter = new HostFilter();
    const sigmaNs = JUMP_SIGMAS * course.sigmaNs;
    const offsetNs = course.offsetNs + course.zeroNs;
    this.#filter.update(course.atS, offsetNs, sigmaNs, freqPpb, JUMP_SIGMAS * freqSigmaPpb);
    return { ...course, sigmaNs };
  }

  /** A window that is off the course is of no use; when all of it is, the edge begins anew. */
  #whyOff(window: PlacedWindow): EdgeFitResult {
    const fit = fitEdge(window);
    const ownerNs = Number(window.ownerBaseRawNs - this.#ownerZeroNs);
    const sinceNs = window.closeNs + ownerNs - this.#closeS * 1e9;
    if (!fit.trusted) return fit;
    if (sinceNs >= window.closeNs) return this.#begin(window, fit);
    const { lossForward, lossReverse } = fit;
    const reason = "probes fit neither the clocks' course nor another: one has stepped, or a route";
    return { trusted: false, reason, lossForward, lossReverse };
  }

  /** True when the window's line and the course exclude each other. */
  #isOff(fit: TrustedFit, course: PriorCourse): boolean {
    const awayNs = fit.midNs - course.midNs;
    const there = this.#filter.predict(course.atS + awayNs * 1e-9);
    const apartNs = fit.offsetNs - (there.offsetNs - course.zeroNs);
    const sigmaNs = Math.hypot(there.offsetSigmaNs, 2 * fit.offsetSigmaNs);
    return !(Math.abs(apartNs) <= OFF_SIGMAS * sigmaNs + OFF_NS);
  }

  /** The window's line is the course from here on, and all its delays go into the models. */
  #begin(window: PlacedWindow, fit: TrustedFit): TrustedFit {
    this.reset();
    this.#ownerZeroNs = window.ownerBaseRawNs;
    this.#otherZeroNs = window.otherBaseRawNs;
    this.#closeS = window.closeNs * 1e-9;
    const { offsetNs, freqPpb } = fit;
    this.#filter.update(fit.midNs * 1e-9, offsetNs, fit.offsetSigmaNs, freqPpb, fit.freqSigmaPpb);
    const course = { midNs: fit.midNs, offsetNs, slope: freqPpb * 1e-9, bend: 0 };
    const [there, back] = [window.forward, window.reverse];
    const [ahead, behind] = [this.#forward, this.#reverse];
    sortDelays(there, there.txNs, -1, course, 1, 0, forward);
    sortDelays(back, back.rxNs, -1, course, -1, 0, reverse);
    ahead.setEpsilon(forward);
    behind.setEpsilon(reverse);
    sortDelays(there, there.txNs, -1, course, 1, ahead.epsilonNs, forward);
    sortDelays(back, back.rxNs, -1, course, -1, behind.epsilonNs, reverse);
    ahead.learn(forward, MEMORY);
    behind.learn(reverse, MEMORY);
    this.#noteNewest(window);
    const line = { midNs: heldAtNs(window), offsetNs: 0, slope: freqPpb * 1e-9 };
    line.offsetNs = lineAt(fit, line.midNs);
    return {
      ...fit,
      midNs: line.midNs,
      offsetNs: line.offsetNs,
      offsetSigmaNs: lineSigmaNs(fit, line.midNs, window),
      ...boundsAbout(window, line),
    };
  }

  #follow(window: PlacedWindow, course: PriorCourse, seen: Seen): EdgeFitResult {
    const priorNs = course.offsetNs + course.zeroNs;
    const ratePpb = course.slope * 1e9;
    const atNs = priorNs + seen.offsetNs;
    const { accepted } = this.#filter.update(course.atS, atNs, seen.sigmaNs, ratePpb, AGAIN_PPB);
    if (!accepted) {
      this.#unaudited = AUDIT_ROUNDS;
      const reason = "the newest probes do not fit the clocks' course";
      return {
        trusted: false,
        reason,
        lossForward: lossForward(window),
        lossReverse: lossReverse(window),
      };
    }
    this.#closeS = course.atS + (window.closeNs - course.midNs) * 1e-9;
    const now = this.#filter.predict(course.atS);
    const told = 1 - Math.min(1, now.offsetSigmaNs / course.sigmaNs) ** 2;
    this.#takeIn(window, untaughtShare(told) * (now.offsetNs - priorNs));
    const floors = this.#floors.between(this.#forward, this.#reverse);
    const midNs = heldAtNs(window);
    const offsetNs = courseAt(course, midNs) + seen.offsetNs + floors.shiftNs;
    const line = { midNs, offsetNs, slope: now.freqPpb * 1e-9 };
    const there = delaysAbove(window.forward, line, true);
    const back = delaysAbove(window.reverse, line, false);
    return {
      trusted: true,
      midNs,
      offsetNs,
      freqPpb: now.freqPpb,
      offsetSigmaNs: Math.hypot(seen.sigmaNs, ROUNDING_SIGMA_NS),
      slowSigmaNs: floors.sigmaNs,
      ownerCarrySigmaNs: window.ownerCarry.sigmaNs,
      otherCarrySigmaNs: window.otherCarry.sigmaNs,
      freqSigmaPpb: now.freqSigmaPpb,
      ...boundsAbout(window, line),
      delayForwardNsMin: there.minNs,
      delayReverseNsMin: back.minNs,
      jitterForwardNs: there.jitterNs,
      jitterReverseNs: back.jitterNs,
      lossForward: lossForward(window),
      lossReverse: lossReverse(window),
      keptShare: this.#keptShare,
    };
  }

  /** Models learn the new delays, as they are against a course that is `movedNs` further. */
  #takeIn(window: EdgeWindow, movedNs: number): void {
    for (const kind of ["pure", "rest"] as const) {
      const [there, back] = [forward[kind], reverse[kind]];
      for (let i = 0; i < there.length; i++) there.ns[i] -= movedNs;
      for (let i = 0; i < back.length; i++) back.ns[i] += movedNs;
    }
    const apartNs = 2 * this.#floors.between(this.#forward, this.#reverse).shiftNs;
    this.#forward.learn(forward, MEMORY, this.#reverse, apartNs);
    this.#reverse.learn(reverse, MEMORY, this.#forward, -apartNs);
    this.#noteNewest(window);
  }

  /** Centroid of the new probes on the owner's axis (ns); without any, where the fit shall hold. */
  #middleOfNew(window: PlacedWindow): number {
    const { forward: there, reverse: back } = window;
    let sum = 0;
    let count = 0;
    const add = (xNs: Float64Array, from: number, to: number) => {
      for (let i = from; i < to; i++) {
        if (Number.isNaN(xNs[i])) continue;
        sum += xNs[i];
        count++;
      }
    };
    add(there.txNs, firstAfter(there, this.#forwardProbe), there.length);
    add(back.rxNs, firstAfter(back, this.#reverseProbe), back.length);
    return count > 0 ? sum / count : heldAtNs(window);
  }

  /** A sender that began to number anew: all that the window holds of it is new. */
  #noteRestarts({ forward: there, reverse: back }: EdgeWindow): void {
    if (hasFallen(there, this.#forwardProbe)) this.#forwardProbe = -1;
    if (hasFallen(back, this.#reverseProbe)) this.#reverseProbe = -1;
  }

  #noteNewest({ forward: there, reverse: back }: EdgeWindow): void {
    if (there.length > 0) this.#forwardProbe = there.probe[there.length - 1];
    if (back.length > 0) this.#reverseProbe = back.probe[back.length - 1];
  }
}

/** The predicted course, and how well it is known. */
interface PriorCourse extends Course {
  /** Instant of its middle on the course's own axis (s). */
  readonly atS: number;
  /** What an offset of the window's bases lacks to one of the course's zeros (ns). */
  readonly zeroNs: number;
  readonly sigmaNs: number;
}

const hasFallen = ({ probe, length }: ProbeColumns, newest: number): boolean =>
  length > 0 && probe[length - 1] < newest - RESTART_GAP;

const lossForward = (window: EdgeWindow): number =>
  lossOf(window.forward.length, window.sentForwardCount);
const lossReverse = (window: EdgeWindow): number =>
  lossOf(window.reverse.length, window.sentReverseCount);

/** Owner time at which the fit of a window holds (ns): the middle of its last round. */
const heldAtNs = (window: PlacedWindow): number => window.closeNs - FIT_AGE_NS;

/** Offset of a course at an instant of the owner's (ns). */
function courseAt({ midNs, offsetNs, slope, bend }: Course, atNs: number): number {
  const dx = atNs - midNs;
  return offsetNs + (slope + (bend * dx) / 2) * dx;
}

/** Offset of a window's line at an instant of the owner's (ns). */
const lineAt = (fit: TrustedFit, atNs: number): number =>
  fit.offsetNs + fit.freqPpb * 1e-9 * (atNs - fit.midNs);

/** What surely holds the truth about a line, below and above it. */
function boundsAbout(window: EdgeWindow, line: Line) {
  const carryBoundNs = window.ownerCarry.boundNs + window.otherCarry.boundNs;
  const bound = guaranteedInterval(window.forward, window.reverse, line, carryBoundNs);
  return {
    belowBoundNs: Math.max(0, line.offsetNs - bound.lowNs),
    aboveBoundNs: Math.max(0, bound.highNs - line.offsetNs),
  };
}

/**
 * Share of a course's move by which its delays must be moved to be distributed as they are.
 *
 * Against the new course they lie too close, because it followed them: with few probes a shape that
 * learnt this would become narrower and narrower. Against the old one they lie too far. With `told`,
 * the share of the variance that the measurement took away, their mean has the variance of the
 * measurement at (1 - sqrt(1 - told)) / told of the way.
 */
const untaughtShare = (told: number): number =>
  told > 1e-6 ? (1 - Math.sqrt(1 - told)) / told : 0.5;

/** The window's line as a measurement of the course. */
const lineAgainst = (fit: TrustedFit, course: Course, window: PlacedWindow): Seen => ({
  offsetNs: lineAt(fit, course.midNs) - course.offsetNs,
  sigmaNs: lineSigmaNs(fit, course.midNs, window),
});

/**
 * Uncertainty of a window's line at an instant (ns). Windows overlap, so each tells what its neighbours
 * tell and must not count as often; and what the clocks wandered meanwhile is no line.
 */
function lineSigmaNs(fit: TrustedFit, atNs: number, window: PlacedWindow): number {
  const lengthNs = spanNs(window);
  const awayNs = fit.freqSigmaPpb * 1e-9 * (atNs - fit.midNs);
  const wanderNs = LINE_WANDER * (lengthNs / SECOND_NS) ** 1.5;
  return Math.sqrt(lengthNs / ROUND_NS) * Math.hypot(fit.offsetSigmaNs, awayNs, wanderNs);
}

/** Time that the probes of a window span (ns): a new edge's windows are not full. */
function spanNs({ forward, reverse }: EdgeWindow): number {
  const of = ({ txNs, length }: ProbeColumns) => (length > 0 ? txNs[length - 1] - txNs[0] : 0);
  return Math.max(ROUND_NS, of(forward), of(reverse));
}
