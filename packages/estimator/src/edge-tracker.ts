/**
 * One edge through time: each round, what its newest probes say of the offset.
 *
 * A window by itself knows neither how delays are distributed nor where the clocks were heading.
 * Here both are kept: the course of the offset (`edge-course.ts`) and what delays look like
 * (`edge-block.ts`). In a round
 *
 *  1. the newest probes are set against the predicted course; their likelihood is the round's
 *     measurement (`block-offset.ts`), independent of earlier ones, and a verdict on whether they are
 *     of that course at all (`block-verdict.ts`);
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
import { isOfCourse, JUMP_SIGMAS, seeFromAfar, seeJump, WIDE_PRIOR_BINS } from "./block-verdict.ts";
import { EdgeBlock } from "./edge-block.ts";
import { delaysAbove } from "./edge-bound.ts";
import { EdgeCourse, type PriorCourse, type Seen } from "./edge-course.ts";
import { type EdgeFitResult, fitEdge, ROUNDING_SIGMA_NS, type TrustedFit } from "./edge-fit.ts";
import {
  boundsAbout,
  heldAtNs,
  lineAt,
  lineSigmaNs,
  lossesOf,
  type PlacedWindow,
} from "./window-line.ts";

/** The whole window is fitted at least once in so many rounds. */
const AUDIT_ROUNDS = 16;
/** Fewer new probes of a direction tell nothing of a course that was left alone for a while. */
const NEW_PROBES_MIN = 4;

/** See the module head. */
export class EdgeTracker {
  readonly #course = new EdgeCourse();
  readonly #block = new EdgeBlock();
  /** Rounds since a whole window was fitted; it is asked for when this is large. */
  #unaudited = 0;
  #keptShare = 0;

  /** Forgets everything. */
  reset(): void {
    this.#course.reset();
    this.#block.clear();
  }

  /**
   * What a window that is too short to be fitted by itself says of the course that is known, as after a
   * neighbour was away; undefined: there is no course, or its probes are not of it.
   */
  goOn(window: PlacedWindow): EdgeFitResult | undefined {
    const block = this.#block;
    block.noteRestarts(window);
    if (block.newCount(window) < NEW_PROBES_MIN) return undefined;
    const course = this.#course.at(window, block.middleNs(window));
    const seen = course && block.see(window, course, WIDE_PRIOR_BINS);
    if (!course || !seen || !isOfCourse(block, seen, course)) return undefined;
    this.#unaudited++;
    return this.#follow(window, course, seen);
  }

  /** Fits the newest window. */
  fit(window: PlacedWindow): EdgeFitResult {
    const block = this.#block;
    block.noteRestarts(window);
    const course = this.#course.at(window, block.middleNs(window));
    const seen = course && block.see(window, course);
    if (course && seen) {
      const fits = isOfCourse(block, seen, course);
      if (fits && ++this.#unaudited < AUDIT_ROUNDS) return this.#follow(window, course, seen);
      const jump = fits ? undefined : seeJump(block, window, course);
      if (jump) return this.#follow(window, this.#course.unsure(course, JUMP_SIGMAS), jump);
      if (!fits) return this.#whyOff(window);
    }
    const fit = fitEdge(window);
    if (!fit.trusted) {
      this.#unaudited = AUDIT_ROUNDS;
      return fit;
    }
    this.#unaudited = 0;
    this.#keptShare = fit.keptShare;
    if (!course || this.#course.isOff(fit, course)) return this.#begin(window, fit);
    return this.#follow(window, course, seen ?? seeFromAfar(block, window, course, fit));
  }

  /** A window that is off the course is of no use; when all of it is, the edge begins anew. */
  #whyOff(window: PlacedWindow): EdgeFitResult {
    const fit = fitEdge(window);
    if (!fit.trusted) return fit;
    if (this.#course.isBehind(window)) return this.#begin(window, fit);
    const { lossForward, lossReverse } = fit;
    const reason = "probes fit neither the clocks' course nor another: one has stepped, or a route";
    return { trusted: false, reason, lossForward, lossReverse };
  }

  /** The window's line is the course from here on, and all its delays go into the models. */
  #begin(window: PlacedWindow, fit: TrustedFit): TrustedFit {
    this.reset();
    this.#unaudited = 0;
    this.#keptShare = fit.keptShare;
    this.#course.begin(window, fit);
    const slope = fit.freqPpb * 1e-9;
    this.#block.takeAll(window, { midNs: fit.midNs, offsetNs: fit.offsetNs, slope, bend: 0 });
    const midNs = heldAtNs(window);
    const offsetNs = lineAt(fit, midNs);
    return {
      ...fit,
      midNs,
      offsetNs,
      offsetSigmaNs: lineSigmaNs(fit, midNs, window),
      ...boundsAbout(window, { midNs, offsetNs, slope }),
    };
  }

  #follow(window: PlacedWindow, course: PriorCourse, seen: Seen): EdgeFitResult {
    const now = this.#course.follow(window, course, seen);
    if (!now) {
      this.#unaudited = AUDIT_ROUNDS;
      const reason = "the newest probes do not fit the clocks' course";
      return { trusted: false, reason, ...lossesOf(window) };
    }
    const told = 1 - Math.min(1, now.offsetSigmaNs / course.sigmaNs) ** 2;
    const movedNs = now.offsetNs - (course.offsetNs + course.zeroNs);
    this.#block.takeIn(window, untaughtShare(told) * movedNs);
    const floors = this.#block.floors();
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
      ...lossesOf(window),
      keptShare: this.#keptShare,
    };
  }
}

/** Offset of a course at an instant of the owner's (ns). */
function courseAt({ midNs, offsetNs, slope, bend }: PriorCourse, atNs: number): number {
  const dx = atNs - midNs;
  return offsetNs + (slope + (bend * dx) / 2) * dx;
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
