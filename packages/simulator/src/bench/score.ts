/** Errors of several recordings, summed up: percentiles, and how honest sigma and bound are. */
import type { ErrorColumns } from "./errors.ts";

/** Estimates before this are not judged, but for their bound (s). */
export const SETTLED_S = 15;
/** Rows of a host further apart than this share no probe (s). */
const APART_S = 2;

/** Points of the curve of coverage, and their distance (sigmas). */
const CURVE_POINTS = 31;
export const CURVE_STEP = 0.1;

/** Sizes of errors (ns). */
export interface Spread {
  readonly count: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

/** How often the truth was where it was said to be. */
export interface Coverage {
  /** Shares of them within 0, 0.1, 0.2 ... 3 sigma, for a picture. */
  readonly curve: readonly number[];
  /** Rows judged for sigma, 2 s apart, and shares of them within 1, 2 and 3 sigma. */
  readonly windowCount: number;
  readonly within1: number;
  readonly within2: number;
  readonly within3: number;
  /** All rows with a truth, and those outside their bound. */
  readonly rowCount: number;
  readonly outsideBound: number;
  /** Medians (ns). */
  readonly sigmaNs: number;
  readonly boundNs: number;
}

/** The columns that are judged; what a worker hands over. */
export type Judged = Pick<ErrorColumns, "host" | "atS" | "sigmaNs" | "boundNs" | "errorNs">;

/** Sizes of the settled errors, sorted. */
export function sizesOf(runs: readonly Judged[]): Float64Array {
  const sizes: number[] = [];
  for (const { atS, errorNs } of runs) {
    errorNs.forEach((error, i) => {
      if (atS[i] >= SETTLED_S && Number.isFinite(error)) sizes.push(Math.abs(error));
    });
  }
  return Float64Array.from(sizes).sort();
}

/** Percentiles of sorted sizes. */
export function spreadOf(sorted: Float64Array): Spread {
  return {
    count: sorted.length,
    p50Ns: quantileOf(sorted, 0.5),
    p99Ns: quantileOf(sorted, 0.99),
    maxNs: sorted.length > 0 ? sorted[sorted.length - 1] : Number.NaN,
  };
}

/** Quantile of sorted values, by the nearest rank; NaN of nothing. */
export function quantileOf(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/**
 * How honest sigma and bound are.
 *
 * @param aboutMean judge sigma by the distance from each host's mean error: where an asymmetry that
 *   nobody can see makes up the mean, it belongs to the bound.
 */
export function coverageOf(runs: readonly Judged[], aboutMean: boolean): Coverage {
  const offs: number[] = [];
  const sigmas: number[] = [];
  const bounds: number[] = [];
  let windowCount = 0;
  let rowCount = 0;
  let outsideBound = 0;
  for (const run of runs) {
    const means = aboutMean ? meansOf(run) : undefined;
    const judgedS = new Map<number, number>();
    run.errorNs.forEach((error, i) => {
      if (!Number.isFinite(error)) return;
      rowCount++;
      if (Math.abs(error) > run.boundNs[i]) outsideBound++;
      const { [i]: atS } = run.atS;
      const host = run.host[i];
      if (atS < SETTLED_S || atS - (judgedS.get(host) ?? -APART_S) < APART_S - 1e-6) return;
      judgedS.set(host, atS);
      windowCount++;
      sigmas.push(run.sigmaNs[i]);
      bounds.push(run.boundNs[i]);
      offs.push(Math.abs(error - (means?.get(host) ?? 0)) / run.sigmaNs[i]);
    });
  }
  const within = (sigmaCount: number) =>
    offs.reduce((count, off) => count + (off <= sigmaCount ? 1 : 0), 0) / windowCount;
  const [within1, within2, within3] = [1, 2, 3].map(within);
  return {
    curve: Array.from({ length: CURVE_POINTS }, (_, i) => within(i * CURVE_STEP)),
    windowCount,
    within1,
    within2,
    within3,
    rowCount,
    outsideBound,
    sigmaNs: quantileOf(Float64Array.from(sigmas).sort(), 0.5),
    boundNs: quantileOf(Float64Array.from(bounds).sort(), 0.5),
  };
}

function meansOf({ host, atS, errorNs }: Judged): Map<number, number> {
  const sums = new Map<number, { sum: number; count: number }>();
  errorNs.forEach((error, i) => {
    if (atS[i] < SETTLED_S || !Number.isFinite(error)) return;
    const sum = sums.get(host[i]) ?? { sum: 0, count: 0 };
    sum.sum += error;
    sum.count++;
    sums.set(host[i], sum);
  });
  return new Map([...sums].map(([key, { sum, count }]) => [key, sum / count]));
}
