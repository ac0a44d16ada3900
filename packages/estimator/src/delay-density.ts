/**
 * Draws the density of a shape's delays: a smooth curve through their counts.
 *
 * Problem: single bins hold a few delays each, and a likelihood that follows their noise sees floors
 * where there are none. Approach: the curve of `log-density.ts` on cells that are one bin wide at the
 * rise (`delay-cells.ts`), from where it lay before; with a share `STRAY` of probes that may be
 * anywhere, so that no single stamp can decide. The other direction of the edge is a twin: queues and
 * stamps of both are mostly alike, and twice the delays draw a better curve.
 *
 * It cannot see: how alike twins are; own counts overrule the twin's where they are many.
 */
import { BINS } from "./delay-bins.ts";
import { DelayCells } from "./delay-cells.ts";
import { roughLogs, smoothLogs } from "./log-density.ts";

/** Share of probes that may be anywhere in the histogram. */
export const STRAY = 0.004;
/** What is less of a density per bin than this is lost among the strays' digits. */
const LEAST_DENSITY = 1e-11;

/** Delays in bins, as far as a density is drawn from them. */
export interface BinnedDelays {
  readonly weight: number;
  readonly lowNs: number;
  readonly binNs: number;
  /** Weight between two places (bins). */
  between(from: number, to: number): number;
}

/** Delays that are probably distributed alike, but shorter by `apartNs`. */
export interface Twin {
  readonly delays: BinnedDelays;
  readonly apartNs: number;
}

// Reused by all shapes while they are drawn.
const cells = new DelayCells(BINS);
const both = { length: 0, counts: new Float64Array(BINS), exposures: new Float64Array(BINS) };
const logs = new Float64Array(BINS);
const logsOfBoth = new Float64Array(BINS);

/**
 * Fills `logDensity` (per bin, in the middle of each) with a smooth curve through the counts.
 *
 * @param rise where the density rises (bins).
 * @param isDrawn true: it holds the curve that was drawn before, of the same bins.
 */
export function drawDensity(
  delays: BinnedDelays,
  rise: number,
  isDrawn: boolean,
  twin: Twin | undefined,
  logDensity: Float32Array,
): void {
  const { weight } = delays;
  cells.lay(rise);
  const { length, edges, counts, exposures } = cells;
  for (let c = 0; c < length; c++) {
    counts[c] = delays.between(edges[c], edges[c + 1]);
    exposures[c] = weight * (edges[c + 1] - edges[c]);
  }
  if (isDrawn) for (let c = 0; c < length; c++) logs[c] = cleanLogAt(logDensity, cells.middle(c));
  else roughLogs(cells, logs);
  const like = twin && twin.delays.weight > 0 ? drawBoth(delays, twin) : undefined;
  smoothLogs(cells, logs, like);
  const stray = STRAY / BINS;
  for (let c = 0; c < length; c++) {
    logs[c] = Math.log((1 - STRAY) * Math.exp(logs[c]) + stray);
  }
  cells.spread(logs, logDensity);
}

/** The density of the twin's delays and these together, from `logs` on. */
function drawBoth(own: BinnedDelays, { delays: twin, apartNs }: Twin): Float64Array {
  const { length, edges } = cells;
  const perBin = own.binNs / twin.binNs;
  const fromBin = (own.lowNs - apartNs - twin.lowNs) / twin.binNs;
  const clip = (bin: number) => Math.max(0, Math.min(BINS, bin));
  for (let c = 0; c < length; c++) {
    const low = clip(fromBin + edges[c] * perBin);
    const high = clip(fromBin + edges[c + 1] * perBin);
    both.counts[c] = cells.counts[c] + twin.between(low, high);
    both.exposures[c] = cells.exposures[c] + (twin.weight * (high - low)) / perBin;
  }
  both.length = length;
  logsOfBoth.set(logs);
  smoothLogs(both, logsOfBoth);
  return logsOfBoth;
}

/** Logarithm of the density before strays were mixed in; strays hide nothing above their last digit. */
function cleanLogAt(logDensity: Float32Array, at: number): number {
  const bin = Math.max(0, Math.min(BINS - 1, Math.floor(at)));
  const clean = Math.exp(logDensity[bin]) - STRAY / BINS;
  return Math.log(Math.max(clean, LEAST_DENSITY));
}
