/**
 * Whether an edge's newest probes are of its predicted course, and what they say where they hardly are.
 *
 * Problem: a likelihood sees delays only near the floor that it knows. After a step of a clock or a new
 * route it is blind, and would follow whatever noise it finds. Approach: a block is of the course when
 * what it says is within a few sigmas of it and its delays are not shorter than any before. One that
 * is not may be of a course that has jumped by a little, so it is set against one that is known less
 * well. What fits neither is for the tracker to refuse.
 *
 * It cannot see: a route that grows longer in one direction by less than the prior's reach, which
 * looks like a clock that moved by half of that.
 */
import type { EdgeBlock } from "./edge-block.ts";
import type { PriorCourse, Seen } from "./edge-course.ts";
import type { EdgeWindow, TrustedFit } from "./edge-fit.ts";
import { lineAt, lineSigmaNs, type PlacedWindow } from "./window-line.ts";

/** A block this far from its prediction (sigmas of both) is not of the course. */
const SUSPECT_SIGMAS = 4;
/** Nor is one of which a direction has more delays than this share far below its floor. */
const EARLY_SHARE = 0.1;
/** Then it is set against a course so many times less certain. */
export const JUMP_SIGMAS = 8;
/** A prior's share of a shape's bins where the window's line would tell less than the course does. */
export const WIDE_PRIOR_BINS = 4;

/** True when the new probes, seen against the predicted course, can be of it. */
export function isOfCourse(
  block: EdgeBlock,
  { offsetNs, sigmaNs }: Seen,
  course: PriorCourse,
): boolean {
  // Delays that were never so short: a clock has moved, and the likelihood is blind so far away.
  if (block.earlyShare(0) > EARLY_SHARE) return false;
  return Math.abs(offsetNs) <= SUSPECT_SIGMAS * Math.hypot(sigmaNs, course.sigmaNs);
}

/** The new probes against a course that may have moved a little; undefined: they fit none. */
export function seeJump(
  block: EdgeBlock,
  window: EdgeWindow,
  course: PriorCourse,
): Seen | undefined {
  const wide = { ...course, sigmaNs: JUMP_SIGMAS * course.sigmaNs };
  const seen = block.see(window, wide);
  return seen && isOfCourse(block, seen, wide) && block.earlyShare(seen.offsetNs) <= EARLY_SHARE
    ? seen
    : undefined;
}

/** What a window says of a course that is not known well enough for its newest probes alone. */
export function seeFromAfar(
  block: EdgeBlock,
  window: PlacedWindow,
  course: PriorCourse,
  fit: TrustedFit,
): Seen {
  const line = {
    offsetNs: lineAt(fit, course.midNs) - course.offsetNs,
    sigmaNs: lineSigmaNs(fit, course.midNs, window),
  };
  if (line.sigmaNs < course.sigmaNs) return line;
  // With few probes the window is long and clocks wander: its line would never bring the course back.
  const seen = block.see(window, course, WIDE_PRIOR_BINS);
  return seen && isOfCourse(block, seen, course) ? seen : line;
}
