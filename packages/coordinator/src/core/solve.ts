/**
 * One round: all fresh fits of a domain become an offset, a frequency and a bound for every host.
 *
 * The order is align, leave out who contradicts the rest (`host-verdicts.ts`), spread the loop surplus
 * over the mesh, judge its edges, and filter each host in time (`host-track.ts`) with the guaranteed
 * interval of the best path. Without a consensus nothing is solved and no clock's track moves. What it cannot see: an
 * asymmetry that all paths of a host share; it stays inside the bound because the bound holds half of
 * every round trip.
 */
import {
  type BiasInput,
  type EdgeBias,
  type EdgeCourt,
  type NetworkSolution,
  type PathBounds,
  pathBounds,
  widenWhereExcluded,
} from "@ttcs/estimator";
import { type RawNanos, rawNanos } from "@ttcs/units";
import { type Alignment, fromLogPpb } from "./alignment.ts";
import { EdgeViews, excludedEdges, judgeEdges } from "./edge-verdicts.ts";
import type { MeshFit } from "./fits.ts";
import type { Host } from "./host.ts";
import { freshShare, residualRms } from "./host-shares.ts";
import { fixReference, type Sighting, trackHost } from "./host-track.ts";
import { EVERYBODY, type HostVerdict } from "./host-verdicts.ts";
import { RoundWorkspace } from "./round-workspace.ts";

/** What one round's solve brought. */
export interface RoundResult {
  /** Instant solved for, on the reference's raw clock (ns). */
  readonly atRefRawNs: RawNanos;
  /** Hosts with a fresh, accepted value. */
  readonly trusted: ReadonlySet<number>;
  /** Why a host has none, by host number. */
  readonly reasons: ReadonlyMap<number, string>;
  /** Why hosts take no part in this round, by number: they contradict the others. */
  readonly out: ReadonlyMap<number, string>;
  /** Why nothing was solved; empty: it was. */
  readonly noConsensus: string;
  /** What an operator should know of a host's paths, by number. */
  readonly alarms: ReadonlyMap<number, string>;
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
  /** Numbers of the domain's anchors; absent: none are known, all hosts are witnesses alike. */
  readonly anchors?: ReadonlySet<number> | undefined;
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
    anchors,
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
  const verdict = robust
    ? workspace.hostVerdicts.judge(aligned, workspace.mesh, taken, anchors)
    : EVERYBODY;
  const { out, noConsensus } = verdict;
  workspace.asymmetry.judge(workspace.mesh, taken, (number) => hosts.get(number)?.id ?? "");
  const { alarms } = workspace.asymmetry;
  if (noConsensus) return withoutConsensus(atRefRawNs, aligned, verdict, alarms);
  const places = court && workspace.courtPlaces(court);
  const excluded = excludedEdges(aligned, verdict, court, places);
  onPart("align");

  const start = workspace.expected(aligned, atRefRawNs);
  const { surplusNs, sigmaNs, logFreqPpb, freqSigmaPpb } = aligned;
  const edgesSaid = bias && biasInput(workspace, aligned, taken);
  const solveOffsets = (witnessed?: Float64Array) => {
    const told = bias?.adjust(edgesSaid!) ?? { offsetNs: surplusNs, sigmaNs };
    const options = { robust, start: start?.offsetNs, witnessed };
    workspace.offsets.solve({ ...told, excluded }, options);
    return workspace.offsets;
  };
  if (bias?.isCold) {
    solveOffsets(verdict.placeNs);
    const { residualNs, trust } = workspace.offsets.told();
    bias.learn(edgesSaid!, residualNs, trust);
  }
  if (!robust) solveOffsets();
  else {
    const { hostVerdicts, mesh } = workspace;
    const places = () => hostVerdicts.placesNow(aligned, mesh, anchors);
    hostVerdicts.solveWary(solveOffsets, verdict.placeNs, places);
  }
  onPart("offsets");
  // An asymmetric path is of no use for offsets; of frequencies it tells the truth.
  workspace.freqs.solve(
    { offsetNs: logFreqPpb, sigmaNs: freqSigmaPpb, ...excludedBy(verdict) },
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
  const edges = new EdgeViews(workspace.mesh, whole, excluded, court, places, verdict);
  onPart("verdicts");
  const { aboveBoundNs } = aligned;
  // What is impossible guarantees nothing: no path of bounds leads over it.
  const belowBoundNs = verdict.excluded
    ? aligned.belowBoundNs.map((below, e) => (verdict.excluded![e] === 1 ? Number.NaN : below))
    : aligned.belowBoundNs;
  const said = {
    ...workspace.mesh.graph,
    reference: 0,
    offsetNs: surplusNs,
    belowBoundNs,
    aboveBoundNs,
  };
  const bounds = pathBounds(said, workspace.paths);
  widenWhereExcluded(said, offsets.xNs, bounds);
  onPart("bounds");
  const solved: Solved = {
    aligned,
    offsets,
    freqs,
    bounds,
    residuals: residualRms(aligned, whole.residualNs),
    freshShare: freshShare(aligned, offsets.trust),
    biasSigmaNs,
  };
  const trusted = new Set<number>();
  const reasons = new Map(out);
  aligned.hosts.forEach((number, row) => {
    const host = hosts.get(number);
    if (!host || (row > 0 && !Number.isFinite(offsets.xNs[row]))) return;
    const refusal =
      row === 0
        ? fixReference(host, atRefRawNs)
        : trackHost(host, atRefRawNs, sightingOf(row, solved));
    if (refusal) reasons.set(number, refusal);
    else trusted.add(number);
  });
  onPart("filters");
  return { atRefRawNs, trusted, reasons, edges, out, noConsensus, alarms };
}

/** A round in which those who contradict each other are too many. */
function withoutConsensus(
  atRefRawNs: RawNanos,
  { hosts }: Alignment,
  { out, noConsensus }: HostVerdict,
  alarms: ReadonlyMap<number, string>,
): RoundResult {
  const reasons = new Map(hosts.map((number) => [number, out.get(number) ?? noConsensus]));
  return {
    atRefRawNs,
    trusted: new Set(),
    reasons,
    edges: EdgeViews.none(),
    out,
    noConsensus,
    alarms,
  };
}

const excludedBy = ({ excluded }: HostVerdict) => (excluded ? { excluded } : {});

/** What a round found of all hosts, by row, and of their edges. */
interface Solved {
  readonly aligned: Alignment;
  readonly offsets: NetworkSolution;
  readonly freqs: NetworkSolution;
  readonly bounds: PathBounds;
  readonly residuals: { readonly rmsNs: Float64Array; readonly count: Int32Array };
  /** Share of each host's variance that is new in this round (0 to 1). */
  readonly freshShare: Float64Array;
  /** Standard uncertainty by the biases of each host's edges (ns); undefined: none are learned. */
  readonly biasSigmaNs: Float64Array | undefined;
}

/** What a round found of the host in one row. */
function sightingOf(row: number, solved: Solved): Sighting {
  const { aligned, offsets, freqs, bounds, residuals } = solved;
  // Without the scale of the residuals: how restless a clock's offsets are its filter gauges.
  const sigmaNs = offsets.sigmaNs[row] / offsets.scale;
  const freshNs = sigmaNs * Math.sqrt(solved.freshShare[row]);
  const staysNs = sigmaNs * Math.sqrt(1 - solved.freshShare[row]);
  const carryNs = Math.hypot(aligned.carrySigmaNs[row], aligned.carrySigmaNs[0]);
  return {
    rawNs: rawNanos(aligned.baseRawNs[row]),
    restNs: aligned.restNs[row] + offsets.xNs[row],
    offsetSigmaNs: Math.hypot(freshNs, carryNs),
    // A carry's error lasts for some rounds, about as long as the filter averages: it stays whole.
    // Errors of floors are biases, too: those that were learned include them.
    slowSigmaNs: Math.hypot(carryNs, Math.max(staysNs, solved.biasSigmaNs?.[row] ?? 0)),
    freqPpb: fromLogPpb(freqs.xNs[row]),
    freqSigmaPpb: freqs.sigmaNs[row],
    lowNs: aligned.restNs[row] + bounds.lowNs[row],
    highNs: aligned.restNs[row] + bounds.highNs[row],
    edgeCount: residuals.count[row],
    residualRmsNs: residuals.rmsNs[row],
  };
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
