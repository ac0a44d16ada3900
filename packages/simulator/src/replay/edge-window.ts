/**
 * One edge's window of a round, put together from a recording and fitted as an agent fits it.
 *
 * An agent joins the stamps of two ends by probe number; a recording has them joined already. From
 * there on it is the estimator's own `fitEdge`, on columns that begin with the window, and the fit
 * goes to the solve as the report that the owner would have sent.
 */
import { create } from "@bufbuild/protobuf";
import {
  type EdgeFitResult,
  type EdgeTracker,
  type EdgeWindow,
  type FitMethod,
  fitEdge,
  type ProbeColumns,
} from "@ttcs/estimator";
import { type EdgeFit, EdgeFitSchema } from "@ttcs/protocol";
import { addNs, SECOND_NS, WINDOW_NS, WINDOW_SPAN_NS_MIN } from "@ttcs/units";
import type { HostCourse } from "./course.ts";
import type { ProbeBuffer } from "./probe-buffer.ts";

/** Recorded stamps are on the raw clock; of a carry only its rounding is left (ns). */
const ROUNDING_NS = 0.5;
/**
 * How far a stamp may err to the side that shortens a delay (ns): a card's may be early by some
 * 100 ns now and then. A kernel's or a program's errs to the other side, which harms no bound.
 */
const STAMP_BOUND_NS = { hardware: 250, kernel: 0, user: 0 } as const;

/** How windows are fitted: as agents do it, or as the paper did. */
export type Method = FitMethod;

/**
 * Another way to fit a window, for comparison. `owner` and `other` are indices of hosts in the plan;
 * the columns are reused, so that what shall be kept of them must be copied.
 */
export type Fitter = (window: EdgeWindow, owner: number, other: number) => EdgeFitResult;

const newColumns = (): ProbeColumns => ({
  length: 0,
  probe: new Float64Array(1024),
  txNs: new Float64Array(1024),
  rxNs: new Float64Array(1024),
});

// Reused by all edges: fits come one after the other.
const forward = newColumns();
const reverse = newColumns();

/** Both directions of an edge; `owner` and `other` are the hosts at its ends. */
export interface EdgeEnds {
  readonly owner: HostCourse;
  readonly other: HostCourse;
  readonly toOther: ProbeBuffer;
  readonly toOwner: ProbeBuffer;
  readonly tracker: EdgeTracker;
  /** Length of the window (ns): longer where probes are few. */
  spanNs: number;
}

/** A direction should have so many probes in a window, and may have so many before it is halved. */
const PROBES_WANTED = 24;
const PROBES_AMPLE = 96;
const SPAN_NS_MAX = 16 * SECOND_NS;

/** Fits the window that both hosts have open; undefined when there is nothing in it. */
export function fitWindow(
  ends: EdgeEnds,
  method: Method,
  timestamping: keyof typeof STAMP_BOUND_NS,
  fitter?: Fitter,
): EdgeFit | undefined {
  const { owner, other, toOther, toOwner } = ends;
  if (Number.isNaN(owner.limitNs) || Number.isNaN(other.limitNs)) return undefined;
  const ownerStartNs = Math.floor(owner.limitNs - ends.spanNs);
  const otherStartNs = Math.floor(other.limitNs - ends.spanNs);
  const sentForwardCount = fill(forward, toOther, ownerStartNs, otherStartNs, other.limitNs);
  const sentReverseCount = fill(reverse, toOwner, otherStartNs, ownerStartNs, owner.limitNs);
  if (method === "default") adaptSpan(ends);
  if (forward.length === 0 && reverse.length === 0) return undefined;
  const between = { owner: owner.host.number, other: other.host.number };
  const spanNs = Math.min(span(forward), span(reverse));
  if (spanNs < WINDOW_SPAN_NS_MIN) {
    const distrust = `only ${(spanNs / SECOND_NS).toFixed(1)} s of probes`;
    return create(EdgeFitSchema, { ...between, distrust });
  }
  const carry = { sigmaNs: 0, boundNs: ROUNDING_NS + STAMP_BOUND_NS[timestamping] };
  const ownerBaseRawNs = addNs(owner.baseRawNs!, ownerStartNs);
  const otherBaseRawNs = addNs(other.baseRawNs!, otherStartNs);
  const window = {
    forward,
    reverse,
    ownerCarry: carry,
    otherCarry: carry,
    sentForwardCount,
    sentReverseCount,
  };
  const result = fitter
    ? fitter(window, owner.host.number - 1, other.host.number - 1)
    : method === "paper"
      ? fitEdge(window, method)
      : ends.tracker.fit({
          ...window,
          ownerBaseRawNs,
          otherBaseRawNs,
          closeNs: owner.limitNs - ownerStartNs,
        });
  if (!result.trusted) {
    const { lossForward, lossReverse, reason: distrust } = result;
    return create(EdgeFitSchema, { ...between, distrust, lossForward, lossReverse });
  }
  const { trusted: _, ...fields } = result;
  return create(EdgeFitSchema, {
    ...between,
    ownerBaseRawNs,
    otherBaseRawNs,
    ...fields,
  });
}

/**
 * Copies the probes that arrived within the receiver's window; the older ones are dropped.
 *
 * @returns how many were sent, as the gaps in their numbers tell
 */
function fill(
  columns: ProbeColumns,
  probes: ProbeBuffer,
  senderStartNs: number,
  receiverStartNs: number,
  limitNs: number,
): number {
  probes.dropUntil(receiverStartNs);
  if (columns.probe.length < probes.length) {
    columns.probe = new Float64Array(probes.length * 2);
    columns.txNs = new Float64Array(probes.length * 2);
    columns.rxNs = new Float64Array(probes.length * 2);
  }
  let count = 0;
  for (let i = 0; i < probes.length; i++) {
    if (probes.rxNs[i] > limitNs) continue;
    columns.probe[count] = probes.probe[i];
    columns.txNs[count] = probes.txNs[i] - senderStartNs;
    columns.rxNs[count++] = probes.rxNs[i] - receiverStartNs;
  }
  columns.length = count;
  return count > 0 ? columns.probe[count - 1] - columns.probe[0] + 1 : 0;
}

/** Doubles the next window when this one was thin, halves it when it was ample. */
function adaptSpan(ends: EdgeEnds): void {
  const fewest = Math.min(forward.length, reverse.length);
  if (fewest < PROBES_WANTED) ends.spanNs = Math.min(SPAN_NS_MAX, 2 * ends.spanNs);
  else if (fewest > PROBES_AMPLE) ends.spanNs = Math.max(WINDOW_NS, ends.spanNs / 2);
}

/** Time from the first to the last probe (ns). */
const span = (columns: ProbeColumns): number =>
  columns.length > 0 ? columns.txNs[columns.length - 1] - columns.txNs[0] : 0;
