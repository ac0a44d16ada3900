/**
 * One round: all fresh fits of a domain become an offset, a frequency and a bound for every host.
 *
 * The order is align, spread the loop surplus over the mesh, filter each host in time, and publish
 * with the guaranteed interval of the best path. What it cannot see: an asymmetry that all paths of
 * a host share; it stays inside the bound because the bound holds half of every round trip.
 */
import { defaultHoldoverOptions } from "@ttcs/discipline";
import {
  type BiasInput,
  boundAround,
  type EdgeBias,
  type EdgeCourt,
  HostFilter,
  pathBounds,
} from "@ttcs/estimator";
import { diffNs, type RawNanos, rawNanos } from "@ttcs/units";
import { type Alignment, fromLogPpb } from "./alignment.ts";
import { LEAD_S } from "./correction.ts";
import { EdgeViews, expelledEdges, judgeEdges } from "./edge-verdicts.ts";
import type { MeshFit } from "./fits.ts";
import type { Host } from "./host.ts";
import { RoundWorkspace } from "./round-workspace.ts";

/** No crystal's frequency is taken to change faster (ppb/s): the bound's promise. */
const FREQ_RATE_MAX = defaultHoldoverOptions.freqRatePpbPerS;

/** What one round's solve brought. */
export interface RoundResult {
  /** Instant solved for, on the reference's raw clock (ns). */
  readonly atRefRawNs: RawNanos;
  /** Hosts with a fresh, accepted value. */
  readonly trusted: ReadonlySet<number>;
  /** Why a host has none, by host number. */
  readonly reasons: ReadonlyMap<number, string>;
  /**
   * What the solve made of each edge, by the number of the host at either end. With a workspace it is
   * good until the next round.
   */
  readonly edges: EdgeViews;
}

/** What a solve may be told besides the fits. */
export interface SolveOptions {
  /** Remembers which edges do not fit, from round to round; absent: every round is judged alone. */
  readonly court?: EdgeCourt;
  /** Remembers by how much edges are biased; absent: nothing is taken off their offsets. */
  readonly bias?: EdgeBias;
  /** False: plain least squares, as in the paper. */
  readonly robust?: boolean;
  /** What rounds of this domain share; absent: everything is made anew. */
  readonly workspace?: RoundWorkspace;
  /** Called as each part of the round has ended; for whoever wants to know what it cost. */
  readonly onPart?: (part: RoundPart) => void;
}

/** Parts of a round, in order. */
export type RoundPart = (typeof ROUND_PARTS)[number];
export const ROUND_PARTS = [
  "align",
  "offsets",
  "frequencies",
  "sigmas",
  "verdicts",
  "bounds",
  "filters",
] as const;

/** Solves a round. Undefined when no fit touches the reference. */
export function solveRound(
  reference: Host,
  hosts: ReadonlyMap<number, Host>,
  fits: readonly MeshFit[],
  {
    court,
    bias,
    robust = true,
    workspace = new RoundWorkspace(),
    onPart = () => {},
  }: SolveOptions = {},
): RoundResult | undefined {
  const atRefRawNs = middleOnReference(reference.number, fits);
  if (atRefRawNs === undefined) return undefined;
  const { absurd, aligner } = workspace;
  let taken = absurd.remaining(fits);
  let aligned = aligner.align(reference.number, atRefRawNs, taken);
  if (absurd.find(aligned)) {
    taken = absurd.remaining(taken);
    aligned = aligner.align(reference.number, atRefRawNs, taken);
  }
  workspace.prepare();
  const places = court && workspace.courtPlaces(court);
  const excluded =
    court && places ? expelledEdges(aligned, court, places) : new Uint8Array(aligned.edgeCount);
  onPart("align");

  const start = workspace.expected(aligned, atRefRawNs);
  const { surplusNs, sigmaNs, logFreqPpb, freqSigmaPpb } = aligned;
  const edgesSaid = bias && biasInput(workspace, aligned, taken);
  const solveOffsets = () => {
    const told = bias?.adjust(edgesSaid!) ?? { offsetNs: surplusNs, sigmaNs };
    workspace.offsets.solve({ ...told, excluded }, { robust, start: start?.offsetNs });
  };
  if (bias?.isCold) {
    solveOffsets();
    const { residualNs, trust } = workspace.offsets.told();
    bias.learn(edgesSaid!, residualNs, trust);
  }
  solveOffsets();
  onPart("offsets");
  // An asymmetric path is of no use for offsets; of frequencies it tells the truth.
  workspace.freqs.solve(
    { offsetNs: logFreqPpb, sigmaNs: freqSigmaPpb },
    { robust, start: start?.logFreqPpb },
  );
  onPart("frequencies");
  workspace.endSolve();
  const offsets = workspace.offsets.told();
  const freqs = workspace.freqs.told();
  workspace.remember(aligned, atRefRawNs, offsets, freqs);
  onPart("sigmas");
  // What is said of an edge includes its bias: it is judged by what it measures.
  const whole = { ...offsets, ...bias?.learn(edgesSaid!, offsets.residualNs, offsets.trust) };
  const biasSigmaNs = bias?.hostSigmaNs(edgesSaid!);
  if (court && places) judgeEdges(aligned, whole, court, places);
  const edges = new EdgeViews(workspace.mesh, whole, excluded, court, places);
  onPart("verdicts");
  const { belowBoundNs, aboveBoundNs } = aligned;
  const bounds = pathBounds(
    { ...workspace.mesh.graph, reference: 0, offsetNs: surplusNs, belowBoundNs, aboveBoundNs },
    workspace.paths,
  );
  onPart("bounds");
  const residuals = residualRms(aligned, whole.residualNs);
  const share = freshShare(aligned, offsets.trust);

  const trusted = new Set<number>();
  const reasons = new Map<number, string>();
  aligned.hosts.forEach((number, row) => {
    const host = hosts.get(number);
    if (!host) return;
    // What residuals show beyond the edges' sigmas stays from round to round.
    const freshNs = (offsets.sigmaNs[row] / offsets.scale) * Math.sqrt(share[row]);
    const carryNs = Math.hypot(aligned.carrySigmaNs[row], aligned.carrySigmaNs[0]);
    const seen = {
      rawNs: rawNanos(aligned.baseRawNs[row]),
      restNs: aligned.restNs[row] + offsets.xNs[row],
      offsetSigmaNs: Math.hypot(freshNs, carryNs),
      // A carry's error lasts for some rounds, about as long as the filter averages: it stays whole.
      // Errors of floors are biases, too: those that were learned include them.
      slowSigmaNs: Math.hypot(
        carryNs,
        Math.max(
          (offsets.sigmaNs[row] / offsets.scale) * Math.sqrt(1 - share[row]),
          biasSigmaNs?.[row] ?? 0,
        ),
      ),
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
  onPart("filters");
  return { atRefRawNs, trusted, reasons, edges };
}

/** The round's edges as their biases are learned from. */
function biasInput(
  { mesh }: RoundWorkspace,
  { hosts, surplusNs, sigmaNs }: Alignment,
  fits: readonly MeshFit[],
): BiasInput {
  const roundTripNs = new Float64Array(mesh.fitOf.length);
  for (let e = 0; e < roundTripNs.length; e++) {
    const { delayForwardNsMin, delayReverseNsMin } = fits[mesh.fitOf[e]];
    roundTripNs[e] = delayForwardNsMin + delayReverseNsMin;
  }
  const edges = { offsetNs: surplusNs, sigmaNs, roundTripNs };
  return { ...mesh.graph, ...edges, hosts, reference: 0, topology: mesh };
}

/** What the mesh says of one host at the instant solved for. */
interface Sighting {
  readonly rawNs: RawNanos;
  readonly restNs: number;
  /** Standard uncertainty: what is new in this round, and what stays for many (ns). */
  readonly offsetSigmaNs: number;
  readonly slowSigmaNs: number;
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
  host.track.fix = {
    atRefRawNs,
    offsetSigmaNs: estimate.offsetSigmaNs,
    slowSigmaNs: seen.slowSigmaNs,
    ...growthOf(filter, atS, estimate.offsetSigmaNs),
    boundNs: boundAround(estimate.offsetNs, wholeNs + seen.lowNs, wholeNs + seen.highNs),
    edgeCount: seen.edgeCount,
    residualRmsNs: seen.residualRmsNs,
  };
  return undefined;
}

/**
 * Sigmas of frequency and of its rate with which the offset's grows as the filter foresees,
 *
 *     v(a) = v(0) + (sigma_f a)^2 + (sigma_r a^2 / 2)^2
 *
 * at half the lead and at the lead; correlations and the wander are in them.
 */
function growthOf(filter: HostFilter, atS: number, offsetSigmaNs: number) {
  const gained = (ageS: number) =>
    Math.max(0, filter.predict(atS + ageS).offsetSigmaNs ** 2 - offsetSigmaNs ** 2);
  const [half, whole] = [4 * gained(LEAD_S / 2), gained(LEAD_S)];
  const fourth = Math.min(whole, Math.max(0, (4 / 3) * (whole - half)));
  return {
    freqSigmaPpb: Math.sqrt(whole - fourth) / LEAD_S,
    freqRateSigmaPpbPerS: Math.min(FREQ_RATE_MAX, (2 * Math.sqrt(fourth)) / LEAD_S ** 2),
  };
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
    slowSigmaNs: 0,
    freqSigmaPpb: 0,
    freqRateSigmaPpbPerS: 0,
    boundNs: 0,
    edgeCount: 0,
    residualRmsNs: 0,
  };
  return undefined;
}

/** Median instant of the reference's own windows, on its raw clock (whole ns). */
function middleOnReference(reference: number, fits: readonly MeshFit[]): RawNanos | undefined {
  const middles: bigint[] = [];
  // By index: a loop over tens of thousands.
  for (let i = 0; i < fits.length; i++) {
    const fit = fits[i];
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

/** Share of each host's variance that is new in this round: that of its edges, by weight. */
function freshShare(aligned: Alignment, trust: Float64Array): Float64Array {
  const fresh = new Float64Array(aligned.hosts.length);
  const all = new Float64Array(aligned.hosts.length);
  for (let e = 0; e < aligned.edgeCount; e++) {
    const variance = aligned.sigmaNs[e] ** 2;
    const weight = trust[e] / variance;
    const share = (weight * aligned.freshSigmaNs[e] ** 2) / variance;
    fresh[aligned.from[e]] += share;
    fresh[aligned.to[e]] += share;
    all[aligned.from[e]] += weight;
    all[aligned.to[e]] += weight;
  }
  return fresh.map((sum, i) => (all[i] > 0 ? Math.min(1, sum / all[i]) : 1));
}

function residualRms(
  aligned: Alignment,
  residualNs: Float64Array,
): { rmsNs: Float64Array; count: Int32Array } {
  const rmsNs = new Float64Array(aligned.hosts.length);
  const count = new Int32Array(aligned.hosts.length);
  for (let e = 0; e < aligned.edgeCount; e++) {
    const square = residualNs[e] * residualNs[e];
    rmsNs[aligned.from[e]] += square;
    rmsNs[aligned.to[e]] += square;
    count[aligned.from[e]]++;
    count[aligned.to[e]]++;
  }
  for (let i = 0; i < rmsNs.length; i++) rmsNs[i] = count[i] ? Math.sqrt(rmsNs[i] / count[i]) : 0;
  return { rmsNs, count };
}
