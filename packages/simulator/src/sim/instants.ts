/**
 * Writes 64-bit instants into a column without a bigint for each: the counterpart of `relativeTo`.
 *
 * The two 32-bit halves are computed as doubles; exact while |relative| < 2^52 ns. Fractions are
 * rounded down, as a clock that shows whole nanoseconds does.
 */

const TWO_32 = 4294967296;

/** A column of instants, written by halves. */
export class InstantColumn {
  column: BigInt64Array;
  #low: Uint32Array;
  #high: Int32Array;
  #baseLow = 0;
  #baseHigh = 0;

  constructor(capacity: number) {
    this.column = new BigInt64Array(capacity);
    this.#low = new Uint32Array(this.column.buffer);
    this.#high = new Int32Array(this.column.buffer);
  }

  /** Makes room; the entries before are kept. */
  reserve(count: number): void {
    if (count <= this.column.length) return;
    const column = new BigInt64Array(2 * count);
    column.set(this.column);
    this.column = column;
    this.#low = new Uint32Array(column.buffer);
    this.#high = new Int32Array(column.buffer);
  }

  /** What the following entries are relative to. */
  setBase(base: bigint): void {
    this.#baseLow = Number(BigInt.asUintN(32, base));
    this.#baseHigh = Number(BigInt.asIntN(32, base >> 32n));
  }

  /** Entry `i` becomes the base plus `relativeNs`, rounded down. */
  set(i: number, relativeNs: number): void {
    const low = this.#baseLow + Math.floor(relativeNs);
    const carry = Math.floor(low / TWO_32);
    this.#low[2 * i] = low - carry * TWO_32;
    this.#high[2 * i + 1] = this.#baseHigh + carry;
  }
}
