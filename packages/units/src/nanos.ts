/**
 * Instants and durations.
 *
 * A double cannot hold a Unix time to the nanosecond (neighbouring doubles are 256 ns apart), so an
 * instant is a `bigint` of nanoseconds and everything that is computed with is a `number` relative
 * to a base. A number holds whole nanoseconds exactly for 104 days around its base; bases are
 * renewed with every window, so a window-relative value is exact.
 */

/** An instant on a clock that shows civil time: nanoseconds since the Unix epoch, UTC. */
export type UnixNanos = bigint & { readonly __scale: "unix" };

/** An instant on a host's free-running clock: nanoseconds since an arbitrary zero. */
export type RawNanos = bigint & { readonly __scale: "raw" };

/** Marks a bigint as an instant of civil time (ns). */
export const unixNanos = (ns: bigint): UnixNanos => ns as UnixNanos;

/** Marks a bigint as an instant of a free-running clock (ns). */
export const rawNanos = (ns: bigint): RawNanos => ns as RawNanos;

/** `later - earlier` in ns, as a number; exact below 2^53 ns (104 days), rounded beyond. */
export function diffNs<T extends bigint>(later: T, earlier: T): number {
  return Number(later - earlier);
}

/** The instant `ns` nanoseconds (rounded to whole ones) after `instant`. */
export function addNs<T extends bigint>(instant: T, ns: number): T {
  return (instant + BigInt(Math.round(ns))) as T;
}

/**
 * Reads a column of 64-bit instants relative to a base, without a bigint for each.
 *
 * The two 32-bit halves are subtracted separately: about twenty times cheaper than
 * `Number(column[i] - base)`. Exact while |difference| < 2^53 ns.
 */
export function relativeTo(
  base: bigint,
  column: BigInt64Array,
  count: number,
  out: Float64Array,
): void {
  const low = new Uint32Array(column.buffer, column.byteOffset, count * 2);
  const high = new Int32Array(column.buffer, column.byteOffset, count * 2);
  const baseLow = Number(BigInt.asUintN(32, base));
  const baseHigh = Number(BigInt.asIntN(32, base >> 32n));
  for (let i = 0; i < count; i++) {
    out[i] = (high[2 * i + 1] - baseHigh) * 4294967296 + (low[2 * i] - baseLow);
  }
}

/** 1 s in ns. */
export const SECOND_NS = 1_000_000_000;
/** Length of a round (ns): a new window closes every half second of domain time. */
export const ROUND_NS = 500_000_000;
/** Length of a window (ns): the probes that one fit sees. */
export const WINDOW_NS = 2_000_000_000;
/** A fit holds at the middle of its window's last round: so long before the window's close (ns). */
export const FIT_AGE_NS = ROUND_NS / 2;

/** Probes that a direction of an edge should have in a window. */
const WINDOW_PROBES = 24;
const WINDOW_NS_MAX = 16_000_000_000;

/**
 * Window of a gateway edge (ns), at least: of a long path's probes few come near the least delay, and
 * a window that is fitted by itself needs some of both directions.
 */
const GATEWAY_WINDOW_NS = 8_000_000_000;

/** Length of a window (ns) at a rate of coded pairs: longer where probes are few, and between regions. */
export function windowNsAt(pairsPerSecond: number, isGateway = false): number {
  let windowNs = isGateway ? GATEWAY_WINDOW_NS : WINDOW_NS;
  const enough = (ns: number) => 2 * pairsPerSecond * ns * 1e-9 >= WINDOW_PROBES;
  while (windowNs < WINDOW_NS_MAX && !enough(windowNs)) windowNs *= 2;
  return windowNs;
}
/**
 * A window is fitted once it spans this much (ns). Half-filled windows would be right within their
 * sigma, but so wide that a host is LOCKED by them and loses it again as sigma shrinks.
 */
export const WINDOW_SPAN_NS_MIN = 1_300_000_000;
