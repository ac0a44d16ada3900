/**
 * What a window says of its edge by itself: its line, where and how well that holds, what bounds it.
 *
 * `fitEdge` gives a straight line and its uncertainty at the middle of the window. Here it is read at
 * other instants and its uncertainty is what one of many overlapping windows may claim: neighbours
 * tell mostly the same, and clocks do not keep to lines. Used where a course begins and where it is
 * set against a window.
 *
 * It cannot see how much the clocks of this edge wander: `LINE_WANDER` is that of usual crystals.
 */
import { FIT_AGE_NS, ROUND_NS, SECOND_NS } from "@ttcs/units";
import { guaranteedInterval, type Line } from "./edge-bound.ts";
import { type EdgeWindow, lossOf, type TrustedFit } from "./edge-fit.ts";
import type { ProbeColumns } from "./pairs.ts";

/** A window, the zeros of its stamps on both raw clocks (ns), and where it ends. */
export interface PlacedWindow extends EdgeWindow {
  readonly ownerBaseRawNs: bigint;
  readonly otherBaseRawNs: bigint;
  /** Owner time of the window's close (ns since its base). */
  readonly closeNs: number;
}

/** What a line through a window misses at its end: this times the power 3/2 of its length in s (ns). */
const LINE_WANDER = 1.5;

/** Owner time at which the fit of a window holds (ns): the middle of its last round. */
export const heldAtNs = (window: PlacedWindow): number => window.closeNs - FIT_AGE_NS;

/** Offset of a window's line at an instant of the owner's (ns). */
export const lineAt = (fit: TrustedFit, atNs: number): number =>
  fit.offsetNs + fit.freqPpb * 1e-9 * (atNs - fit.midNs);

/**
 * Uncertainty of a window's line at an instant (ns). Windows overlap, so each tells what its neighbours
 * tell and must not count as often; and what the clocks wandered meanwhile is no line.
 */
export function lineSigmaNs(fit: TrustedFit, atNs: number, window: EdgeWindow): number {
  const lengthNs = spanNs(window);
  const awayNs = fit.freqSigmaPpb * 1e-9 * (atNs - fit.midNs);
  const wanderNs = LINE_WANDER * (lengthNs / SECOND_NS) ** 1.5;
  return Math.sqrt(lengthNs / ROUND_NS) * Math.hypot(fit.offsetSigmaNs, awayNs, wanderNs);
}

/** What surely holds the truth about a line, below and above it. */
export function boundsAbout(window: EdgeWindow, line: Line) {
  const carryBoundNs = window.ownerCarry.boundNs + window.otherCarry.boundNs;
  const bound = guaranteedInterval(window.forward, window.reverse, line, carryBoundNs);
  return {
    belowBoundNs: Math.max(0, line.offsetNs - bound.lowNs),
    aboveBoundNs: Math.max(0, bound.highNs - line.offsetNs),
  };
}

/** Share of a window's probes that were lost, by direction (0 to 1). */
export const lossesOf = (window: EdgeWindow) => ({
  lossForward: lossOf(window.forward.length, window.sentForwardCount),
  lossReverse: lossOf(window.reverse.length, window.sentReverseCount),
});

/** Time that the probes of a window span (ns): a new edge's windows are not full. */
function spanNs({ forward, reverse }: EdgeWindow): number {
  const of = ({ txNs, length }: ProbeColumns) => (length > 0 ? txNs[length - 1] - txNs[0] : 0);
  return Math.max(ROUND_NS, of(forward), of(reverse));
}
