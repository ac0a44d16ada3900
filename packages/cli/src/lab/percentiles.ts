/** Percentiles of what a laboratory run collected, by the nearest rank. */

/** Percentiles of a set (ns). */
export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Percentiles of `values`, rounded to whole numbers; all null for an empty set. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted.length === 0
      ? null
      : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** The value in the middle, not rounded; undefined for an empty set. */
export function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
