/**
 * Limits on our own hand that no message can lift.
 *
 * A coordinator may be taken over, and a signed message may lie. What it can do to a clock is limited
 * here: how fast a clock is moved, how far a line may jump, how far its rate may leave the one that the
 * host has learnt, and how far domain time may leave the free-running clock in all.
 */
import { bentNs, FAR_PULL_LIMIT_PPB, grownBoundNs } from "./bound.ts";

/** Largest slew relative to the learnt frequency, before and after the first lock (ppb). */
export const ACQUIRE_SLEW_PPB = 500_000;
export const LOCKED_SLEW_PPB = 50_000;

/** Below this an offset is slewed, never stepped (ns). */
export const STEP_THRESHOLD_NS = 1_000_000;

/**
 * Domain time may run away from the learnt frequency at the pace of a far pull; a pull that lasts is
 * learnt like any other pace, and the next one may go the other way; a crystal that warms up adds some
 * ppm. Beyond all of it a line is refused (ppb).
 */
export const RATE_LIMIT_PPB = 2 * FAR_PULL_LIMIT_PPB + 2_500;

/**
 * Faster than at the legal pace a line does not move by more than this (ns). Between the two it is so
 * many times what the edges to anchors can tell apart: a jump within that is noise of a bad network.
 */
export const JUMP_LIMIT_NS_MIN = 200_000;
export const JUMP_LIMIT_NS = 1_000_000;
const JUMP_INTERVALS = 4;

/** The limit where an edge's guaranteed interval is `intervalNs`; NaN: there is no edge yet. */
export function jumpLimitNs(intervalNs: number): number {
  if (Number.isNaN(intervalNs)) return JUMP_LIMIT_NS;
  return Math.max(JUMP_LIMIT_NS_MIN, Math.min(JUMP_LIMIT_NS, JUMP_INTERVALS * intervalNs));
}

/** Segments of one line meet within this (ns): rounding makes less than one. */
export const KINK_LIMIT_NS = 1_000;

/** Panic: domain time has left the raw clock times the learnt frequency by this (ns). */
export const ACCUMULATED_LIMIT_NS = 10_000_000;

/**
 * How far an honest line may have gone elsewhere in the time without corrections (ns): what hardware
 * is promised to, and what domain time may do meanwhile. It rests on the host's own raw clock alone.
 */
export function unheardOfNs(ageS: number): number {
  if (!(ageS > HEARD_S)) return 0;
  return grownBoundNs(0, 0, ageS) + bentNs(ageS);
}

/** Corrections that are younger leave nothing open (s). */
const HEARD_S = 2;
