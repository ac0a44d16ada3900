/**
 * The course of one edge's offset: where two raw clocks are heading against each other.
 *
 * Problem: a round's newest probes are few; what they say is worth much only beside what is known
 * already. Approach: a `HostFilter` of the two raw clocks' difference. It is asked for the course
 * about an instant of a window, told what was measured against it, and begins anew with the line of a
 * whole window.
 *
 * Windows come with zeros of their own; the course's are those of the window it began with. Numbers of
 * ns between them are exact for a hundred days.
 *
 * It cannot see: a step between two rounds, which is found by the delays (`block-verdict.ts`), and an
 * asymmetry of the minimum delays, as in `edge-fit.ts`.
 */
import type { Course } from "./delay-model.ts";
import type { TrustedFit } from "./edge-fit.ts";
import { type FilterEstimate, HostFilter } from "./host-filter.ts";
import type { PlacedWindow } from "./window-line.ts";

/** The predicted course, and how well it is known. */
export interface PriorCourse extends Course {
  /** Instant of its middle on the course's own axis (s). */
  readonly atS: number;
  /** What an offset of the window's bases lacks to one of the course's zeros (ns). */
  readonly zeroNs: number;
  readonly sigmaNs: number;
}

/** A round's measurement of how far the offset is from the course (ns). */
export interface Seen {
  readonly offsetNs: number;
  readonly sigmaNs: number;
}

/** A course without a measurement for so long is stale (s). */
const STALE_S = 6;
/** A course whose measurements were rejected begins again with its rate to within this (ppb). */
const AGAIN_PPB = 1_000;
/** A window's line this far off the course begins the edge anew (sigmas of both, and ns). */
const OFF_SIGMAS = 8;
const OFF_NS = 60;

/** See the module head. */
export class EdgeCourse {
  #filter = new HostFilter();
  /** Zeros of the course on both raw clocks, and the last window's close on the owner's (s). */
  #ownerZeroNs = 0n;
  #otherZeroNs = 0n;
  #closeS = Number.NaN;

  /** Forgets everything. */
  reset(): void {
    this.#filter = new HostFilter();
    this.#closeS = Number.NaN;
  }

  /** The window's line is the course from here on. Call `reset` before. */
  begin(window: PlacedWindow, fit: TrustedFit): void {
    this.#ownerZeroNs = window.ownerBaseRawNs;
    this.#otherZeroNs = window.otherBaseRawNs;
    this.#closeS = window.closeNs * 1e-9;
    const { offsetNs, freqPpb } = fit;
    this.#filter.update(fit.midNs * 1e-9, offsetNs, fit.offsetSigmaNs, freqPpb, fit.freqSigmaPpb);
  }

  /** The course about an instant of the owner's (ns); undefined: there is none to speak of. */
  at(window: PlacedWindow, midNs: number): PriorCourse | undefined {
    const ownerNs = this.#ownerNs(window);
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

  /** Takes a measurement in. What is known then; undefined: the filter rejects it. */
  follow(window: PlacedWindow, course: PriorCourse, seen: Seen): FilterEstimate | undefined {
    const ratePpb = course.slope * 1e9;
    const atNs = course.offsetNs + course.zeroNs + seen.offsetNs;
    const { accepted } = this.#filter.update(course.atS, atNs, seen.sigmaNs, ratePpb, AGAIN_PPB);
    if (!accepted) return undefined;
    this.#closeS = course.atS + (window.closeNs - course.midNs) * 1e-9;
    return this.#filter.predict(course.atS);
  }

  /** After a jump the course is so many times less certain, and so is its rate. */
  unsure(course: PriorCourse, times: number): PriorCourse {
    const { freqPpb, freqSigmaPpb } = this.#filter.predict(course.atS);
    this.#filter = new HostFilter();
    const sigmaNs = times * course.sigmaNs;
    const offsetNs = course.offsetNs + course.zeroNs;
    this.#filter.update(course.atS, offsetNs, sigmaNs, freqPpb, times * freqSigmaPpb);
    return { ...course, sigmaNs };
  }

  /** True when the window's line and the course exclude each other. */
  isOff(fit: TrustedFit, course: PriorCourse): boolean {
    const awayNs = fit.midNs - course.midNs;
    const there = this.#filter.predict(course.atS + awayNs * 1e-9);
    const apartNs = fit.offsetNs - (there.offsetNs - course.zeroNs);
    const sigmaNs = Math.hypot(there.offsetSigmaNs, 2 * fit.offsetSigmaNs);
    return !(Math.abs(apartNs) <= OFF_SIGMAS * sigmaNs + OFF_NS);
  }

  /** True when all of the window lies after the last measurement that was taken. */
  isBehind(window: PlacedWindow): boolean {
    const sinceNs = window.closeNs + this.#ownerNs(window) - this.#closeS * 1e9;
    return sinceNs >= window.closeNs;
  }

  /** The window's base on the course's axis (ns). */
  #ownerNs(window: PlacedWindow): number {
    return Number(window.ownerBaseRawNs - this.#ownerZeroNs);
  }
}
