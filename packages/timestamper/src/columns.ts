/**
 * Columns of stamps and triples: creating, growing, copying, and 64-bit values without a bigint each.
 *
 * A 64-bit column is seen as pairs of 32-bit halves (little endian), the inverse of `relativeTo` of
 * @ttcs/units, because a bigint per probe costs more than the rest of the packet path.
 */
import type { StampColumns, TripleColumns } from "./types.ts";

const TWO_32 = 4294967296;
/** 10^9 = 2^9 x this: a second's count times it is exact in a double until the year 2116. */
const ODD_PART_OF_1E9 = 1953125;
const TWO_23 = 8388608;

/** Empty stamp columns with room for `capacity` stamps. */
export function createStamps(capacity: number): StampColumns {
  return {
    length: 0,
    peer: new Uint32Array(capacity),
    probe: new Float64Array(capacity),
    systemNs: new BigInt64Array(capacity),
  };
}

/** Empty triple columns with room for `capacity` triples. */
export function createTriples(capacity: number): TripleColumns {
  return {
    length: 0,
    rawBeforeNs: new BigInt64Array(capacity),
    systemNs: new BigInt64Array(capacity),
    rawAfterNs: new BigInt64Array(capacity),
  };
}

/** Makes room for `more` stamps behind those that count. Allocates only when it must grow. */
export function reserveStamps(columns: StampColumns, more: number): void {
  const capacity = grownCapacity(columns.probe.length, columns.length + more);
  if (capacity === columns.probe.length) return;
  const old = { ...columns };
  Object.assign(columns, createStamps(capacity), { length: old.length });
  columns.peer.set(old.peer);
  columns.probe.set(old.probe);
  columns.systemNs.set(old.systemNs);
}

/** Makes room for `more` triples behind those that count. */
export function reserveTriples(columns: TripleColumns, more: number): void {
  const capacity = grownCapacity(columns.systemNs.length, columns.length + more);
  if (capacity === columns.systemNs.length) return;
  const old = { ...columns };
  Object.assign(columns, createTriples(capacity), { length: old.length });
  columns.rawBeforeNs.set(old.rawBeforeNs);
  columns.systemNs.set(old.systemNs);
  columns.rawAfterNs.set(old.rawAfterNs);
}

/** The entries that count, in columns of exactly their size. */
export function copyStamps(columns: StampColumns): StampColumns {
  const { length } = columns;
  return {
    length,
    peer: columns.peer.slice(0, length),
    probe: columns.probe.slice(0, length),
    systemNs: columns.systemNs.slice(0, length),
  };
}

/** The triples that count, in columns of exactly their size. */
export function copyTriples(columns: TripleColumns): TripleColumns {
  const { length } = columns;
  return {
    length,
    rawBeforeNs: columns.rawBeforeNs.slice(0, length),
    systemNs: columns.systemNs.slice(0, length),
    rawAfterNs: columns.rawAfterNs.slice(0, length),
  };
}

/** A 64-bit column seen as 32-bit halves, the lower first. */
export function halvesOf(column: BigInt64Array): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset, column.length * 2);
}

/** Entry `i` of a column (by its halves) = seconds x 10^9 + nanoseconds; seconds 0 to 4.6e9. */
export function putTime(
  halves: Uint32Array,
  i: number,
  seconds: number,
  nanoseconds: number,
): void {
  const product = seconds * ODD_PART_OF_1E9;
  const high = Math.floor(product / TWO_23);
  const low = (product - high * TWO_23) * 512 + nanoseconds;
  const carry = low >= TWO_32 ? 1 : 0;
  halves[2 * i] = low - carry * TWO_32;
  halves[2 * i + 1] = high + carry;
}

/**
 * out[i] = base + floor(relativeNs[i]) for the first `count` entries: the inverse of `relativeTo`.
 * Exact while |relativeNs| < 2^53.
 */
export function absoluteFrom(
  base: bigint,
  relativeNs: Float64Array,
  count: number,
  out: BigInt64Array,
): void {
  const halves = halvesOf(out);
  const baseLow = Number(BigInt.asUintN(32, base));
  const baseHigh = Number(BigInt.asIntN(32, base >> 32n));
  for (let i = 0; i < count; i++) {
    const whole = Math.floor(relativeNs[i]);
    const high = Math.floor(whole / TWO_32);
    const low = whole - high * TWO_32 + baseLow;
    const carry = low >= TWO_32 ? 1 : 0;
    halves[2 * i] = low - carry * TWO_32;
    halves[2 * i + 1] = baseHigh + high + carry;
  }
}

/** At least `needed`, at least doubled when it grows at all. */
function grownCapacity(capacity: number, needed: number): number {
  return needed <= capacity ? capacity : Math.max(needed, capacity * 2);
}
