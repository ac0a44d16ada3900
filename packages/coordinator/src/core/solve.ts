/**
 * One round: all fresh fits of a domain become an offset, a frequency and a bound for every host.
 *
 * The order is align, spread the loop surplus over the mesh, filter each host in time, and publish
 * with the guaranteed interval of the best path. What it cannot see: an asymmetry that all paths of
 * a host share; it stays inside the bound because the bound holds half of every round trip.
 */
import { BOUND_SIGMAS } from "@ttcs/discipline";
import { boundAround, type EdgeCourt, HostFilter, pathBounds, solveNetwork } from "@ttcs/estimator";
import type { EdgeFit } from "@ttcs/protocol";
import { diffNs, type RawNanos, rawNanos } from "@ttcs/units";
import { type Alignment, alignFits, fromLogPpb } from "./alignment.ts";
import { LEAD_S } from "./correction.ts";
import { type EdgeView, edgeViews, expelledEdges, judgeEdges } from "./edge-verdicts.ts";
import type { Host } from "./host.ts";

/** What one round's solve brought. */
export interface RoundResult {
  /** Instant solved for, on the reference's raw clock (ns). */
  readonly atRefRawNs: RawNanos;
  /** Hosts with a fresh, accepted value. */
  readonly trusted: ReadonlySet<number>;
  /** Why a host has none, by host number. */
  readonly reasons: ReadonlyMap<number, string>;
  /** What the solve made of each edge, by the number of the host at either end. */
  readonly edges: ReadonlyMap<number, readonly EdgeView[]>;
}

/** What a solve may be told besides the fits. */
export interface SolveOptions {
  /** Remembers which edges do not fit, from round to round; absent: every round is judged alone. */
  readonly court?: EdgeCourt;
  /** False: plain least squares, as in the paper. */
  readonly robust?: boolean;
}

/** Solves a round. Undefined when no fit touches the reference. */
export function solveRound(
  reference: Host,
  hosts: ReadonlyMap<number, Host>,
  fits: readonly EdgeFit[],
  { court, robust = true }: SolveOptions = {},
): RoundResult | undefined {
  const atRefRawNs = middleOnReference(reference.number, fits);
  if (atRefRawNs === undefined) return undefined;
  const aligned = alignFits(reference.number, atRefRawNs, fits);
  const shared = {
    hostCount: aligned.hosts.length,
    edgeCount: aligned.edgeCount,
    from: aligned.from,
    to: aligned.to,
    reference: 0,
  };
  const excluded = court ? expelledEdges(aligned, court) : new Uint8Array(aligned.edgeCount);
  const offsets = solveNetwork(
    { ...shared, offsetNs: aligned.surplusNs, sigmaNs: aligned.sigmaNs, excluded },
    { robust },
  );
  // An asymmetric path is of no use for offsets; of frequencies it tells the truth.
  const freqs = solveNetwork(
    { ...shared, offsetNs: aligned.logFreqPpb, sigmaNs: aligned.freqSigmaPpb },
    { robust },
  );
  if (court) judgeEdges(aligned, offsets, court);
  const bounds = pathBounds({
    ...shared,
    offsetNs: aligned.surplusNs,
    belowBoundNs: aligned.belowBoundNs,
    aboveBoundNs: aligned.aboveBoundNs,
  });
  const residuals = residualRms(aligned, offsets.residualNs);

  const trusted = new Set<number>();
  const reasons = new Map<number, string>();
  aligned.hosts.forEach((number, row) => {
    const host = hosts.get(number);
    if (!host) return;
    const seen = {
      rawNs: rawNanos(aligned.baseRawNs[row]),
      restNs: aligned.restNs[row] + offsets.xNs[row],
      offsetSigmaNs: offsets.sigmaNs[row],
      freqPpb: fromLogPpb(freqs.xNs[row]),
      freqSigmaPpb: freqs.sigmaNs[row],
      lowNs: aligned.restNs[row] + bounds.lowNs[row],
      highNs: aligned.restNs[row] + bounds.highNs[row],
      edgeCount: residuals.count[row],
      residualRmsNs: residuals.rmsNs[row],
    };
    const refusal = row === 0 ? fixReference(host, atRefRawNs) : track(host, atRefRawNs, seen);
    if (refusal) reasons.set(number, refusal);
    else trusted.add(number);
  });
  return { atRefRawNs, trusted, reasons, edges: edgeViews(aligned, offsets, excluded, court) };
}

/** What the mesh says of one host at the instant solved for. */
interface Sighting {
  readonly rawNs: RawNanos;
  readonly restNs: number;
  readonly offsetSigmaNs: number;
  readonly freqPpb: number;
  readonly freqSigmaPpb: number;
  readonly lowNs: number;
  readonly highNs: number;
  readonly edgeCount: number;
  readonly residualRmsNs: number;
}

function track(host: Host, atRefRawNs: RawNanos, seen: Sighting): string | undefined {
  host.track ??= {
    hostZeroNs: seen.rawNs,
    referenceZeroNs: atRefRawNs,
    filter: new HostFilter(),
    fix: undefined,
  };
  const { hostZeroNs, referenceZeroNs, filter } = host.track;
  const elapsedNs = diffNs(atRefRawNs, referenceZeroNs);
  const atS = elapsedNs * 1e-9;
  // raw - zero - elapsed, in whole ns first: both are large, their difference is small.
  const wholeNs = Number(seen.rawNs - hostZeroNs - (atRefRawNs - referenceZeroNs));
  const offsetNs = wholeNs + seen.restNs;
  const { accepted } = filter.update(
    atS,
    offsetNs,
    seen.offsetSigmaNs,
    seen.freqPpb,
    seen.freqSigmaPpb,
  );
  if (!accepted) return "this round's offset does not fit the clock's course";
  const estimate = filter.predict(atS);
  if (!Number.isFinite(estimate.offsetNs + estimate.freqPpb + estimate.offsetSigmaNs)) {
    host.track = undefined;
    return "the clock's course was lost; it begins anew";
  }
  // The line that is sent is the tangent at a later instant: what the rate does until then counts.
  const aheadPpb = Math.abs(filter.freqRatePpbPerS) * LEAD_S;
  host.track.fix = {
    atRefRawNs,
    offsetSigmaNs: estimate.offsetSigmaNs,
    freqSigmaPpb: Math.hypot(estimate.freqSigmaPpb, aheadPpb / BOUND_SIGMAS),
    boundNs: boundAround(estimate.offsetNs, wholeNs + seen.lowNs, wholeNs + seen.highNs),
    edgeCount: seen.edgeCount,
    residualRmsNs: seen.residualRmsNs,
  };
  return undefined;
}

/** The reference is exact by definition: domain time is counted on its raw clock. */
function fixReference(host: Host, atRefRawNs: RawNanos): undefined {
  host.track ??= {
    hostZeroNs: atRefRawNs,
    referenceZeroNs: atRefRawNs,
    filter: new HostFilter(),
    fix: undefined,
  };
  host.track.fix = {
    atRefRawNs,
    offsetSigmaNs: 0,
    freqSigmaPpb: 0,
    boundNs: 0,
    edgeCount: 0,
    residualRmsNs: 0,
  };
  return undefined;
}

/** Median instant of the reference's own windows, on its raw clock (whole ns). */
function middleOnReference(reference: number, fits: readonly EdgeFit[]): RawNanos | undefined {
  const middles: bigint[] = [];
  for (const fit of fits) {
    if (fit.owner === reference) {
      middles.push(fit.ownerBaseRawNs + BigInt(Math.round(fit.midNs)));
    } else if (fit.other === reference) {
      middles.push(fit.otherBaseRawNs + BigInt(Math.round(fit.midNs + fit.offsetNs)));
    }
  }
  if (middles.length === 0) return undefined;
  middles.sort((a, b) => (a < b ? -1 : 1));
  return rawNanos(middles[middles.length >> 1]);
}

function residualRms(
  aligned: Alignment,
  residualNs: Float64Array,
): { rmsNs: Float64Array; count: Int32Array } {
  const rmsNs = new Float64Array(aligned.hosts.length);
  const count = new Int32Array(aligned.hosts.length);
  for (let e = 0; e < aligned.edgeCount; e++) {
    for (const row of [aligned.from[e], aligned.to[e]]) {
      rmsNs[row] += residualNs[e] ** 2;
      count[row]++;
    }
  }
  for (let i = 0; i < rmsNs.length; i++) rmsNs[i] = count[i] ? Math.sqrt(rmsNs[i] / count[i]) : 0;
  return { rmsNs, count };
}
