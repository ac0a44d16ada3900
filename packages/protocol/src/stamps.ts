/**
 * Stamps as columns of a flush.
 *
 * Problem: every round each edge carries the stamps of some hundred probes over TCP 6171. One message
 * per stamp would cost more in allocations and bytes than the stamps themselves.
 *
 * Approach: probe numbers as steps (one byte each, as a rule) and stamps as signed 32-bit whole
 * nanoseconds since the flush's base. Rounding to whole nanoseconds adds at most 0.5 ns, far below
 * what any kernel stamp is worth.
 *
 * Assumptions: stamps lie within 2.147 s of the base; a flush covers one round of 0.5 s. What lies
 * further away is left out like a stamp that could not be carried: it belongs to no window that is
 * still open.
 *
 * What it cannot see: whether the numbers were dealt by the sender it believes in.
 */
import { create } from "@bufbuild/protobuf";
import { assert } from "@ttcs/units";
import { type StampColumn, StampColumnSchema } from "./gen/clocksync/peer_pb.js";
import { PROBE_NUMBER_MAX } from "./probe.ts";

const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;
const UINT32_MAX = 4294967295;

/**
 * Packs the probe numbers (whole, 0 to 2^53-1) and stamps (ns, signed) from entry `from` up to entry
 * `count`; `baseNs` is the flush's base on the scale of the stamps.
 *
 * Stamps are rounded to whole ns. Left out are: stamps that are NaN or do not fit 32 bits, a probe
 * number's second appearance (the network may duplicate datagrams), and everything behind a gap of
 * 2^32 or more between two numbers. Numbers may come in any order; they leave in ascending order.
 */
export function packStamps(
  probe: Float64Array,
  stampNs: Float64Array,
  count: number,
  from = 0,
  baseNs = 0,
): StampColumn {
  assert(count >= 0 && count <= probe.length && count <= stampNs.length, "count past the columns");
  assert(from >= 0 && from <= count, "from within the columns");
  const column = create(StampColumnSchema);
  const order = ascendingOrder(probe, from, count);
  // Arrays of their final size: one that grows is copied several times.
  const steps = new Array<number>(Math.max(0, count - from - 1));
  const stamps = new Array<number>(count - from);
  let packed = 0;
  let previous = -1;
  for (let k = from; k < count; k++) {
    const i = order === undefined ? k : order[k - from];
    const number = probe[i];
    const stamp = Math.round(stampNs[i] - baseNs);
    assert(Number.isSafeInteger(number) && number >= 0, "probe number out of range");
    // NaN fails the comparison as well.
    if (!(stamp >= INT32_MIN && stamp <= INT32_MAX) || number === previous) continue;
    if (previous < 0) {
      column.firstProbe = BigInt(number);
    } else {
      if (number - previous > UINT32_MAX) break;
      steps[packed - 1] = number - previous;
    }
    stamps[packed++] = stamp | 0;
    previous = number;
  }
  steps.length = Math.max(0, packed - 1);
  stamps.length = packed;
  column.probeStep = steps;
  column.stampNs = stamps;
  return column;
}

/**
 * Unpacks a column from outside into `outProbe` and `outNs` (ns, relative to the flush's base) and
 * returns how many entries there are; an absent column has none.
 *
 * Returns -1, with undefined contents of the two arrays, when the column contradicts itself: not one
 * step less than stamps, a step of 0, a number above 2^53-1, or more entries than the arrays hold.
 */
export function unpackStamps(
  column: StampColumn | undefined,
  outProbe: Float64Array,
  outNs: Float64Array,
): number {
  if (column === undefined) return 0;
  const { probeStep, stampNs } = column;
  const count = stampNs.length;
  if (probeStep.length !== Math.max(0, count - 1)) return -1;
  if (count > outProbe.length || count > outNs.length) return -1;
  let number = Number(column.firstProbe);
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      const step = probeStep[i - 1];
      if (step < 1) return -1;
      number += step;
    }
    if (number > PROBE_NUMBER_MAX) return -1;
    outProbe[i] = number;
    outNs[i] = stampNs[i];
  }
  return count;
}

/** The order in which the numbers ascend (stable); undefined when they already do. */
function ascendingOrder(probe: Float64Array, from: number, count: number): Uint32Array | undefined {
  let i = from + 1;
  while (i < count && probe[i] >= probe[i - 1]) i++;
  if (i >= count) return undefined;
  const order = new Uint32Array(count - from);
  for (let k = 0; k < order.length; k++) order[k] = from + k;
  return order.sort((a, b) => probe[a] - probe[b] || a - b);
}
