/**
 * One edge's window of a round, put together from a recording and fitted as an agent fits it.
 *
 * An agent joins the stamps of two ends by probe number; a recording has them joined already. From
 * there on it is the estimator's own `fitEdge`, on columns that begin with the window, and the fit
 * goes to the solve as the report that the owner would have sent.
 */
import { create } from "@bufbuild/protobuf";
import { type FitMethod, fitEdge, type ProbeColumns } from "@ttcs/estimator";
import { type EdgeFit, EdgeFitSchema } from "@ttcs/protocol";
import { addNs, SECOND_NS, WINDOW_SPAN_NS_MIN } from "@ttcs/units";
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
}

/** Fits the window that both hosts have open; undefined when there is nothing in it. */
export function fitWindow(
  ends: EdgeEnds,
  method: Method,
  timestamping: keyof typeof STAMP_BOUND_NS,
): EdgeFit | undefined {
  const { owner, other, toOther, toOwner } = ends;
  if (Number.isNaN(owner.limitNs) || Number.isNaN(other.limitNs)) return undefined;
  const sentForwardCount = fill(forward, toOther, owner, other);
  const sentReverseCount = fill(reverse, toOwner, other, owner);
  if (forward.length === 0 && reverse.length === 0) return undefined;
  const between = { owner: owner.host.number, other: other.host.number };
  const spanNs = Math.min(span(forward), span(reverse));
  if (spanNs < WINDOW_SPAN_NS_MIN) {
    const distrust = `only ${(spanNs / SECOND_NS).toFixed(1)} s of probes`;
    return create(EdgeFitSchema, { ...between, distrust });
  }
  const carry = { sigmaNs: 0, boundNs: ROUNDING_NS + STAMP_BOUND_NS[timestamping] };
  const window = {
    forward,
    reverse,
    ownerCarry: carry,
    otherCarry: carry,
    sentForwardCount,
    sentReverseCount,
  };
  const result = fitEdge(window, method);
  if (!result.trusted) {
    const { lossForward, lossReverse, reason: distrust } = result;
    return create(EdgeFitSchema, { ...between, distrust, lossForward, lossReverse });
  }
  const { trusted: _, ...fields } = result;
  return create(EdgeFitSchema, {
    ...between,
    ownerBaseRawNs: addNs(owner.baseRawNs!, owner.startNs),
    otherBaseRawNs: addNs(other.baseRawNs!, other.startNs),
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
  sender: HostCourse,
  receiver: HostCourse,
): number {
  probes.dropUntil(receiver.startNs);
  if (columns.probe.length < probes.length) {
    columns.probe = new Float64Array(probes.length * 2);
    columns.txNs = new Float64Array(probes.length * 2);
    columns.rxNs = new Float64Array(probes.length * 2);
  }
  let count = 0;
  for (let i = 0; i < probes.length; i++) {
    if (probes.rxNs[i] > receiver.limitNs) continue;
    columns.probe[count] = probes.probe[i];
    columns.txNs[count] = probes.txNs[i] - sender.startNs;
    columns.rxNs[count++] = probes.rxNs[i] - receiver.startNs;
  }
  columns.length = count;
  return count > 0 ? columns.probe[count - 1] - columns.probe[0] + 1 : 0;
}

/** Time from the first to the last probe (ns). */
const span = (columns: ProbeColumns): number =>
  columns.length > 0 ? columns.txNs[columns.length - 1] - columns.txNs[0] : 0;
