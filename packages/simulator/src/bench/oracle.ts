/**
 * The oracle: what the data could tell somebody who knew which probes met a queue, and the floors.
 *
 * The same windows, mesh and filter as ours, but an edge is fitted by least squares: every probe
 * that met no queue says delta = U - floor or delta = L + floor up to the noise of its stamps, and a
 * line through all of them is the best there is for normal noise. Probes with a queue or an early
 * stamp weigh nothing: they are not fed at all. Defined where both directions have 20 such probes.
 *
 * Windows overlap and the filter takes what it is told as independent. So the line's slope is that of
 * the whole window, its level that of the probes since the window before, at their own middle.
 *
 * In an asymmetric world it knows what no probe tells. `blind` takes that away: it knows the sum of
 * both floors only, and splits it in half as everybody else must.
 */
import type { EdgeFitResult, EdgeWindow, ProbeColumns } from "@ttcs/estimator";
import { ROUND_NS, SECOND_NS } from "@ttcs/units";
import type { Fitter } from "../replay/edge-window.ts";

/** Fewer probes than this in one direction of a window: no oracle. */
const PROBES_MIN = 20;
/** Floor of a probe from one host to another (ns). */
export type FloorOf = (from: number, to: number) => number;

/** Sums of a straight line by least squares; x about a first one (ns). */
interface Sums {
  count: number;
  x: number;
  y: number;
  xx: number;
  xy: number;
  yy: number;
}

/** The fitter of the oracle. */
export function oracleFitter(floorNs: FloorOf, blind: boolean): Fitter {
  return (window, owner, other) => {
    const floors = [floorNs(owner, other), floorNs(other, owner)];
    const half = (floors[0] + floors[1]) / 2;
    const [forwardNs, reverseNs] = blind ? [half, half] : floors;
    return leastSquares(window, forwardNs, reverseNs);
  };
}

function leastSquares(window: EdgeWindow, forwardNs: number, reverseNs: number): EdgeFitResult {
  const { forward, reverse } = window;
  if (Math.min(forward.length, reverse.length) < PROBES_MIN) {
    return { trusted: false, reason: "too few clean probes", lossForward: 0, lossReverse: 0 };
  }
  const zeroNs = forward.rxNs[0] - forward.txNs[0];
  const middleNs = forward.txNs[forward.length >> 1];
  const newestNs = Math.max(forward.txNs[forward.length - 1], reverse.rxNs[reverse.length - 1]);
  const over = (fromNs: number): Sums => {
    const sums = { count: 0, x: 0, y: 0, xx: 0, xy: 0, yy: 0 };
    add(sums, forward, forward.txNs, forward.rxNs, fromNs, middleNs, -forwardNs - zeroNs);
    add(sums, reverse, reverse.rxNs, reverse.txNs, fromNs, middleNs, reverseNs - zeroNs);
    return sums;
  };
  const all = over(Number.NEGATIVE_INFINITY);
  const fresh = over(newestNs - ROUND_NS);
  const n = all.count;
  const [meanX, meanY] = [all.x / n, all.y / n];
  const sxx = all.xx - n * meanX * meanX;
  const slope = (all.xy - n * meanX * meanY) / sxx;
  const squares = all.yy - n * meanY * meanY - slope * slope * sxx;
  const noiseNs = Math.sqrt(Math.max(0.1, squares / (n - 2)));
  return {
    trusted: true,
    midNs: middleNs + fresh.x / fresh.count,
    offsetNs: zeroNs + fresh.y / fresh.count,
    freqPpb: slope * SECOND_NS,
    offsetSigmaNs: noiseNs / Math.sqrt(fresh.count),
    slowSigmaNs: 0,
    ownerCarrySigmaNs: 0,
    otherCarrySigmaNs: 0,
    freqSigmaPpb: (noiseNs / Math.sqrt(sxx)) * SECOND_NS,
    // Not what is judged; as wide as what everybody else can say.
    belowBoundNs: reverseNs,
    aboveBoundNs: forwardNs,
    delayForwardNsMin: forwardNs,
    delayReverseNsMin: reverseNs,
    jitterForwardNs: noiseNs,
    jitterReverseNs: noiseNs,
    lossForward: 0,
    lossReverse: 0,
    keptShare: 1,
  };
}

function add(
  sums: Sums,
  columns: ProbeColumns,
  xNs: Float64Array,
  otherNs: Float64Array,
  fromNs: number,
  middleNs: number,
  shiftNs: number,
): void {
  for (let i = 0; i < columns.length; i++) {
    if (xNs[i] < fromNs) continue;
    const x = xNs[i] - middleNs;
    const y = otherNs[i] - xNs[i] + shiftNs;
    sums.count++;
    sums.x += x;
    sums.y += y;
    sums.xx += x * x;
    sums.xy += x * y;
    sums.yy += y * y;
  }
}
