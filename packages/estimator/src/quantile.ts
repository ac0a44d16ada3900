/**
 * Order statistics on scratch columns.
 *
 * Hoare's selection algorithm ("Algorithm 65: FIND", CACM 4(7), 1961) with the median of three as
 * pivot: linear on average, in place, nothing allocated. The order of the column is destroyed, so
 * callers hand in a scratch column. Values must not be NaN; the result would be meaningless.
 */

/** Puts the k-th smallest (from 0) of the first `count` values at index k and returns it. */
export function selectKth(values: Float64Array, count: number, k: number): number {
  let left = 0;
  let right = count - 1;
  while (left < right) {
    const middle = (left + right) >>> 1;
    const a = values[left];
    const b = values[middle];
    const c = values[right];
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) {
        const swapped = values[i];
        values[i] = values[j];
        values[j] = swapped;
        i++;
        j--;
      }
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else return values[k];
  }
  return values[k];
}

/** The upper median of the first `count` values; 0 when there are none. Reorders the column. */
export function medianOf(values: Float64Array, count: number): number {
  return count === 0 ? 0 : selectKth(values, count, count >> 1);
}

/** Standard deviation of a normal distribution divided by its median absolute deviation. */
export const SIGMA_PER_MAD = 1.4826;

/** A column of at least `length` values: the given one when it is long enough, else a new one. */
export function grown(column: Float64Array, length: number): Float64Array {
  if (column.length >= length) return column;
  return new Float64Array(Math.max(length, 2 * column.length));
}
