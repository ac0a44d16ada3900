/**
 * The message by which a host is corrected: domain time on its raw clock, and what is known of it.
 *
 * Segments are composed by `correction.ts`; beside them stand the uncertainties of the host's fix, the
 * verdict of the round, and what the bound against UTC needs of the reference's source. A host whose
 * clock no solve has reached gets no message: it would have nothing to say.
 *
 * It cannot see: how old the message is when it is read; hence the instants on the host's own clock.
 */
import { type DomainSegment, FAR_PULL_LIMIT_PPB } from "@ttcs/discipline";
import type { Correction } from "@ttcs/protocol";
import { addNs, FIT_AGE_NS, type RawNanos } from "@ttcs/units";
import { composeSegments, hostRawAt, type RoundKnots } from "./correction.ts";
import type { DomainScale } from "./domain-scale.ts";
import type { EdgeView } from "./edge-verdicts.ts";
import type { Host } from "./host.ts";
import type { Body } from "./outbox.ts";
import { copyAlarms } from "./roster.ts";
import type { RoundResult } from "./solve.ts";
import type { UtcStanding } from "./sources.ts";

/** A correction is fresh for this long after its window closed (ns). */
const VALID_FOR_NS = 2 * 1e9;
/** Domain time and its source run apart by less than this (ppb): the largest pull, and as much again. */
const SOURCE_PACE_PPB = 2 * FAR_PULL_LIMIT_PPB;

/** What the corrections of one round have in common. */
export interface SharedByRound {
  readonly reference: Host;
  readonly scale: DomainScale;
  readonly knots: RoundKnots;
  readonly result: RoundResult;
  /** The largest bound among those who could lead next (ns). */
  readonly heirBoundNs: number;
  readonly utc: UtcStanding;
  /** What an operator should know of the whole domain. */
  readonly alarms: readonly string[];
  /** Server's monotonic time (ms). */
  readonly nowMs: number;
  /** Set where there are several regions: reference, scale and result are the host's region's own. */
  readonly regional?: Regional;
}

/** How a region's line lies to the domain's. */
export interface Regional {
  /** The region that leads: its reference, and domain time on it. */
  readonly domainReference: Host;
  readonly domainScale: DomainScale;
  /** Uncertainty of the region's line to domain time over the correction's use (ns), and its rate's. */
  readonly sigmaNs: number;
  readonly freqSigmaPpb: number;
  readonly boundNs: number;
  /** What the upper layer made of a host's gateway edges. */
  readonly gatewaysOf: (host: number) => readonly EdgeView[];
}

/** The correction of a host; undefined: nothing is known of its clock yet. */
export function correctionFor(
  host: Host,
  { reference, scale, knots, result, heirBoundNs, utc, alarms, nowMs, regional }: SharedByRound,
): Body | undefined {
  const { track } = host;
  const fix = track?.fix;
  if (!track || !fix) return undefined;
  const isReference = host === reference;
  const rawAt = (refRawNs: RawNanos) => hostRawAt(track, isReference, refRawNs);
  const leader = regional?.domainReference ?? reference;
  const domain = regional?.domainScale ?? scale;
  // A source that was heard of a while ago may have been left by as much as domain time runs off.
  const unheardNs = (nowMs - leader.reportedAtMs) * 1e-3 * SOURCE_PACE_PPB;
  const localSigmaNs = Math.hypot(fix.offsetSigmaNs, fix.slowSigmaNs);
  const edges = result.edges.get(host.number) ?? [];
  const gateways = regional?.gatewaysOf(host.number) ?? [];
  // A whole message, which nobody has to complete: there are a thousand of them in a round.
  const value: Correction = {
    $typeName: "clocksync.Correction",
    segments: composeSegments(track, isReference, knots).map(segmentMessage),
    solvedRawNs: rawAt(fix.atRefRawNs),
    windowCloseRawNs: rawAt(addNs(fix.atRefRawNs, FIT_AGE_NS)),
    offsetSigmaNs: Math.hypot(localSigmaNs, regional?.sigmaNs ?? 0),
    freqSigmaPpb: Math.hypot(fix.freqSigmaPpb, regional?.freqSigmaPpb ?? 0),
    freqRateSigmaPpbPerS: fix.freqRateSigmaPpbPerS,
    boundNs: fix.boundNs + (regional?.boundNs ?? 0),
    validForNs: VALID_FOR_NS,
    trusted: result.trusted.has(host.number),
    reason: result.reasons.get(host.number) ?? reachReason(result, host),
    referenceHostId: leader.id,
    isReference: host === leader,
    referencePullNs: domain.pullNs,
    excessPpb: domain.excessPpb,
    referenceMaxErrorNs: utc.maxErrorNs + Math.max(0, unheardNs),
    referenceHasSource: utc.hasSource,
    edgeCount: fix.edgeCount,
    residualRmsNs: fix.residualRmsNs,
    edges: gateways.length === 0 ? edges : [...edges, ...gateways],
    farPull: domain.farPull,
    heirBoundNs,
    alarms: [...alarms, ...alarmsOf(result.alarms, host), ...copyAlarms(host, nowMs)],
    localReferenceHostId: regional ? reference.id : "",
    localSigmaNs: regional ? localSigmaNs : 0,
    localBoundNs: regional ? fix.boundNs : 0,
  };
  return { case: "correction", value };
}

const segmentMessage = (segment: DomainSegment): Correction["segments"][number] => ({
  $typeName: "clocksync.DomainSegment",
  rawNs: segment.rawNs,
  domainUnixNs: segment.domainUnixNs,
  domainFractionNs: segment.domainFractionNs,
  freqPpb: segment.freqPpb,
});

/** What an operator should know of a host, as messages have it. */
export const alarmsOf = (alarms: ReadonlyMap<number, string> | undefined, host: Host): string[] => {
  const alarm = alarms?.get(host.number);
  return alarm === undefined ? [] : [alarm];
};

/** The largest bound among those who could lead next: domain time would go on from their line (ns). */
export function heirBoundNs(connected: readonly Host[], reference: Host | undefined): number {
  const heirs = connected.filter((h) => h !== reference && h.track?.fix);
  return heirs.reduce((worst, h) => Math.max(worst, h.track!.fix!.boundNs), 0);
}

function reachReason(result: RoundResult, host: Host): string {
  return result.trusted.has(host.number) ? "" : "no trusted edge reached this host";
}
