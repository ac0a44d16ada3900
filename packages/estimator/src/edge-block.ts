/**
 * The newest probes of an edge, and what its delays have looked like so far.
 *
 * Problem: each round brings a block of probes that no earlier round has seen. What they say of the
 * offset must be read before they shape what is known of delays, and each of them once. Approach: a
 * `DelayModel` for either direction and the number of the newest probe that was taken. A block is first
 * seen against a predicted course (`block-offset.ts`) and then, moved to the course as it is known
 * afterwards, taken in.
 *
 * The delays of the block that was seen last are kept in columns that all edges share: an edge takes
 * its block in before another one is seen.
 *
 * It cannot see: probes that arrive after a later one of their direction was taken.
 */
import { blockOffset, type Part } from "./block-offset.ts";
import { type Course, DelayModel, firstAfter, newDelays, sortDelays } from "./delay-model.ts";
import type { PriorCourse, Seen } from "./edge-course.ts";
import type { EdgeWindow } from "./edge-fit.ts";
import { Floors } from "./floors.ts";
import type { ProbeColumns } from "./pairs.ts";
import { heldAtNs, type PlacedWindow } from "./window-line.ts";

/** Delays of each kind that are remembered, about: half a minute at 100 pairs/s. */
const MEMORY = 6_000;
/** A kind with fewer delays has no likelihood yet. */
const COUNT_MIN = 12;
/** The prior must be finer than this share of a shape's bins, or the likelihood sees no shape. */
const PRIOR_BINS = 25;
/** A newest probe with a number lower than before by this is of a new numbering. */
const RESTART_GAP = 10_000;

const forward = newDelays();
const reverse = newDelays();

/** See the module head. */
export class EdgeBlock {
  readonly #forward = new DelayModel();
  readonly #reverse = new DelayModel();
  readonly #floors = new Floors();
  /** Newest probes that have been taken. */
  #forwardProbe = -1;
  #reverseProbe = -1;

  /** Forgets what delays look like. */
  clear(): void {
    this.#forward.clear();
    this.#reverse.clear();
    this.#floors.clear();
  }

  /** A sender that began to number anew: all that the window holds of it is new. */
  noteRestarts({ forward: there, reverse: back }: EdgeWindow): void {
    if (hasFallen(there, this.#forwardProbe)) this.#forwardProbe = -1;
    if (hasFallen(back, this.#reverseProbe)) this.#reverseProbe = -1;
  }

  /** Centroid of the new probes on the owner's axis (ns); without any, where the fit shall hold. */
  middleNs(window: PlacedWindow): number {
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

  /** New probes of the direction that has fewer. */
  newCount({ forward: there, reverse: back }: EdgeWindow): number {
    return Math.min(
      there.length - firstAfter(there, this.#forwardProbe),
      back.length - firstAfter(back, this.#reverseProbe),
    );
  }

  /** What the new probes say; undefined while too little is known of delays. */
  see(window: EdgeWindow, course: PriorCourse, bins = PRIOR_BINS): Seen | undefined {
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

  /**
   * Larger share of early delays of the two directions, the offset being so much further (ns) than the
   * course against which they were seen.
   */
  earlyShare(offsetNs: number): number {
    return Math.max(
      this.#forward.earlyShare(forward, -offsetNs),
      this.#reverse.earlyShare(reverse, offsetNs),
    );
  }

  /** Models learn the delays that were seen, as they are against a course that is `movedNs` further. */
  takeIn(window: EdgeWindow, movedNs: number): void {
    for (const kind of ["pure", "rest"] as const) {
      const [there, back] = [forward[kind], reverse[kind]];
      for (let i = 0; i < there.length; i++) there.ns[i] -= movedNs;
      for (let i = 0; i < back.length; i++) back.ns[i] += movedNs;
    }
    const apartNs = 2 * this.floors().shiftNs;
    this.#forward.learn(forward, MEMORY, this.#reverse, apartNs);
    this.#reverse.learn(reverse, MEMORY, this.#forward, -apartNs);
    this.#noteNewest(window);
  }

  /** Models learn all delays of a window, as they are against a course. Call `clear` before. */
  takeAll(window: EdgeWindow, course: Course): void {
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
  }

  /** Half of (forward floor - reverse floor), and its standard uncertainty (ns). */
  floors(): { shiftNs: number; sigmaNs: number } {
    return this.#floors.between(this.#forward, this.#reverse);
  }

  #noteNewest({ forward: there, reverse: back }: EdgeWindow): void {
    if (there.length > 0) this.#forwardProbe = there.probe[there.length - 1];
    if (back.length > 0) this.#reverseProbe = back.probe[back.length - 1];
  }
}

const hasFallen = ({ probe, length }: ProbeColumns, newest: number): boolean =>
  length > 0 && probe[length - 1] < newest - RESTART_GAP;
