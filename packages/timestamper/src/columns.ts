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

/** Bytes of one stamp (two columns of 8 and one of 4) and of one triple in a packed batch. */
const STAMP_BYTES = 20;
const TRIPLE_BYTES = 24;

/** Columns of a batch in one buffer, because every buffer that changes threads costs its own price. */
export interface PackedColumns {
  readonly buffer: ArrayBuffer;
  readonly sentCount: number;
  readonly receivedCount: number;
  readonly tripleCount: number;
}

/** Copies the entries that count into one buffer. */
export function packColumns(
  sent: StampColumns,
  received: StampColumns,
  triples: TripleColumns,
): PackedColumns {
  const counts = {
    sentCount: sent.length,
    receivedCount: received.length,
    tripleCount: triples.length,
  };
  const stampBytes = STAMP_BYTES * (sent.length + received.length);
  const buffer = new ArrayBuffer(TRIPLE_BYTES * triples.length + stampBytes);
  const packed = { buffer, ...counts };
  const into = unpackColumns(packed);
  const { length } = triples;
  into.triples.rawBeforeNs.set(triples.rawBeforeNs.subarray(0, length));
  into.triples.systemNs.set(triples.systemNs.subarray(0, length));
  into.triples.rawAfterNs.set(triples.rawAfterNs.subarray(0, length));
  putStamps(sent, into.sent);
  putStamps(received, into.received);
  return packed;
}

function putStamps(from: StampColumns, to: StampColumns): void {
  const { length } = from;
  to.systemNs.set(from.systemNs.subarray(0, length));
  to.probe.set(from.probe.subarray(0, length));
  to.peer.set(from.peer.subarray(0, length));
}

/** The columns that `packColumns` has packed, as views of its buffer. */
export function unpackColumns({ buffer, sentCount, receivedCount, tripleCount }: PackedColumns): {
  readonly sent: StampColumns;
  readonly received: StampColumns;
  readonly triples: TripleColumns;
} {
  // Columns of 8 bytes an entry come first, so that all of them are aligned.
  let at = 0;
  const take = (bytes: number): number => {
    at += bytes;
    return at - bytes;
  };
  const wide = (count: number) => new BigInt64Array(buffer, take(8 * count), count);
  const doubles = (count: number) => new Float64Array(buffer, take(8 * count), count);
  const narrow = (count: number) => new Uint32Array(buffer, take(4 * count), count);
  const triples = {
    length: tripleCount,
    rawBeforeNs: wide(tripleCount),
    systemNs: wide(tripleCount),
    rawAfterNs: wide(tripleCount),
  };
  const sentNs = wide(sentCount);
  const receivedNs = wide(receivedCount);
  const sentProbe = doubles(sentCount);
  const receivedProbe = doubles(receivedCount);
  return {
    triples,
    sent: { length: sentCount, systemNs: sentNs, probe: sentProbe, peer: narrow(sentCount) },
    received: {
      length: receivedCount,
      systemNs: receivedNs,
      probe: receivedProbe,
      peer: narrow(receivedCount),
    },
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
