/** What `ttcs-agentq` shows: a picture of the core as plain JSON, every number with its unit. */
import {
  ACCUMULATED_LIMIT_NS,
  type DomainSegment,
  LOCKED_SLEW_PPB,
  RATE_LIMIT_PPB,
} from "@ttcs/discipline";
import type { Correction } from "@ttcs/protocol";
import type { RawNanos } from "@ttcs/units";
import type { AgentCore } from "./agent.ts";
import type { Edge } from "./edge.ts";

/** A fit is shown for this many rounds; an end that only audits fits one round in ten. */
const STALE_ROUNDS = 4;
const STALE_AUDIT_ROUNDS = 24;

/** Status of one neighbour. Delays are one-way, corrected by the fit. */
export interface NeighbourStatus {
  readonly host: string;
  readonly owner: boolean;
  readonly delay_to_ns: number | null;
  readonly delay_from_ns: number | null;
  readonly jitter_to_ns: number | null;
  readonly jitter_from_ns: number | null;
  readonly loss_to: number | null;
  readonly loss_from: number | null;
  readonly kept_share: number | null;
  /** Why its window cannot be trusted; empty: it can. */
  readonly distrust: string;
  /** What the last solve made of the edge; null: it was not among its edges. */
  readonly solve: EdgeSolve | null;
}

/** An edge in the eyes of the solve. */
export interface EdgeSolve {
  /** Its offset, neighbour minus this host, beyond what the mesh agrees on. */
  readonly residual_ns: number;
  /** Standard uncertainty that the solve weighed it by. */
  readonly sigma_ns: number;
  /** What robustness left of its weight, 0 to 1. */
  readonly weight: number;
  /** Why it takes no part; empty: it does. */
  readonly expelled: string;
}

/** How much of what no message may exceed has been used up. */
export interface GuardStatus {
  /** How far corrections have moved domain time against the own clock at its learnt rate. */
  readonly accumulated_ns: number | null;
  readonly accumulated_limit_ns: number;
  /** The learnt rate, and how far a line's may be from it. */
  readonly learnt_freq_ppb: number | null;
  readonly freq_limit_ppb: number;
  readonly slew_limit_ppb: number;
  /** Neighbours whose lines were compared with the newest correction over the own edges. */
  readonly anchors_compared: number;
  readonly anchors_contradicting: number;
  /** The correction minus the neighbours' lines, median. */
  readonly anchors_apart_ns: number | null;
}

/** Status of an agent. Instants are decimal strings of ns, everything else plain numbers. */
export interface AgentStatus {
  readonly host: string;
  readonly domain: string;
  readonly state: string;
  readonly reason: string;
  readonly advice: string;
  readonly role: "reference" | "member";
  readonly reference: string | null;
  readonly reference_has_source: boolean | null;
  readonly term: string;
  readonly round: string;
  readonly correct_clock: boolean;
  /** System clock minus domain time (positive: ahead). */
  readonly offset_ns: number | null;
  readonly sigma_ns: number | null;
  /** The system clock is within this of domain time, guaranteed. */
  readonly bound_ns: number | null;
  /** The system clock is within this of UTC, if the reference's own source is right. */
  readonly utc_bound_ns: number | null;
  /** Domain time minus the reference's system clock. */
  readonly reference_pull_ns: number | null;
  readonly correction_age_s: number | null;
  /** Frequency setting of the system clock against raw. */
  readonly freq_ppb: number;
  readonly edges_used: number | null;
  readonly residual_rms_ns: number | null;
  /** Why this offset: what the newest solve rests on, in words. */
  readonly why: string;
  readonly neighbours: readonly NeighbourStatus[];
  readonly counters: Readonly<Record<string, number>>;
  /** What an operator should know, in words. */
  readonly alarms: readonly string[];
  /** The reference of this host's region and the bound to its line; null: there is but one region. */
  readonly local_reference: string | null;
  readonly local_bound_ns: number | null;
  readonly guard: GuardStatus;
  /** Domain time on this host's raw clock. */
  readonly line: readonly {
    readonly raw_ns: string;
    readonly domain_ns: string;
    readonly domain_fraction_ns: number;
    readonly freq_ppb: number;
  }[];
}

/** The status at raw instant `nowRawNs`. */
export function agentStatus(
  core: AgentCore,
  options: { readonly hostId: string; readonly domain: string; readonly correctClock: boolean },
  nowRawNs: RawNanos,
): AgentStatus {
  const standing = core.standing(nowRawNs);
  const { keeper, carrier } = core;
  const correction = keeper.correction;
  const known = correction !== undefined;
  const round = core.exchange.close?.round ?? 0n;
  return {
    host: options.hostId,
    domain: options.domain,
    ...standing.verdict,
    role: correction?.isReference ? "reference" : "member",
    reference: correction?.referenceHostId ?? null,
    reference_has_source: correction?.referenceHasSource ?? null,
    term: String(keeper.term),
    round: String(keeper.round),
    correct_clock: options.correctClock,
    offset_ns: standing.offsetNs ?? null,
    sigma_ns: known ? standing.sigmaNs : null,
    bound_ns: known && Number.isFinite(standing.boundNs) ? standing.boundNs : null,
    utc_bound_ns: standing.utcBoundNs ?? null,
    reference_pull_ns: correction?.referencePullNs ?? null,
    correction_age_s: standing.correctionAgeS ?? null,
    freq_ppb: carrier.settingPpb,
    edges_used: correction?.edgeCount ?? null,
    residual_rms_ns: correction?.residualRmsNs ?? null,
    why: whyThisOffset(correction, [...core.exchange.edges]),
    neighbours: [...core.exchange.edges].map((edge) => neighbourStatus(edge, round, correction)),
    counters: { ...core.counters, stamps_dropped: carrier.droppedCount },
    alarms: alarmsOf(core),
    local_reference: correction?.localReferenceHostId || null,
    local_bound_ns: correction?.localReferenceHostId ? correction.localBoundNs : null,
    guard: guardStatus(core),
    line: (keeper.line?.segments ?? []).map(segmentStatus),
  };
}

function alarmsOf({ keeper, alarms, storageFault }: AgentCore): string[] {
  const { panic, refused, anchors } = keeper.obedience;
  const own = panic ?? (anchors.contradicts ? refused : "");
  return [
    ...(own ? [own] : []),
    ...(storageFault ? [`storage failing: ${storageFault}`] : []),
    ...alarms,
  ];
}

function guardStatus({ keeper }: AgentCore): GuardStatus {
  const { ledger, anchors } = keeper.obedience;
  return {
    accumulated_ns: ledger?.accumulatedNs ?? null,
    accumulated_limit_ns: ACCUMULATED_LIMIT_NS,
    learnt_freq_ppb: ledger?.basePpb ?? null,
    freq_limit_ppb: RATE_LIMIT_PPB,
    slew_limit_ppb: LOCKED_SLEW_PPB,
    anchors_compared: anchors.compared,
    anchors_contradicting: anchors.contradicting,
    anchors_apart_ns: Number.isFinite(anchors.apartNs) ? anchors.apartNs : null,
  };
}

function neighbourStatus(
  edge: Edge,
  round: bigint,
  correction: Correction | undefined,
): NeighbourStatus {
  const fit = edge.lastFit;
  const { hostId: host, owner } = edge.neighbour;
  const solve = solveOf(edge, correction);
  const age = Number(round - edge.fittedRound);
  const stale = age > (owner ? STALE_ROUNDS : STALE_AUDIT_ROUNDS);
  const distrust = !fit ? "not fitted yet" : stale ? `last fit ${age / 2} s ago` : fit.distrust;
  if (!fit || distrust !== "") {
    const unknown = { delay_to_ns: null, delay_from_ns: null };
    const spread = { jitter_to_ns: null, jitter_from_ns: null, kept_share: null };
    return { host, owner, ...unknown, ...spread, loss_to: null, loss_from: null, distrust, solve };
  }
  // The fit speaks as the edge's owner; the status speaks as this host.
  const forward = [fit.delayForwardNsMin, fit.jitterForwardNs, fit.lossForward] as const;
  const reverse = [fit.delayReverseNsMin, fit.jitterReverseNs, fit.lossReverse] as const;
  const [to, from] = owner ? [forward, reverse] : [reverse, forward];
  return {
    host,
    owner,
    delay_to_ns: to[0],
    delay_from_ns: from[0],
    jitter_to_ns: to[1],
    jitter_from_ns: from[1],
    loss_to: to[2],
    loss_from: from[2],
    kept_share: fit.keptShare,
    distrust,
    solve,
  };
}

function solveOf(edge: Edge, correction: Correction | undefined): EdgeSolve | null {
  const found = correction?.edges.find((e) => e.hostNumber === edge.neighbour.hostNumber);
  if (!found) return null;
  const { residualNs, sigmaNs, weight, expelled } = found;
  return { residual_ns: residualNs, sigma_ns: sigmaNs, weight, expelled };
}

/** Below this share of its weight an edge has been outvoted. */
const OUTVOTED_WEIGHT = 0.1;

function whyThisOffset(correction: Correction | undefined, edges: readonly Edge[]): string {
  if (!correction) return "no correction yet";
  if (correction.isReference) return "this host is the reference: domain time counts on its clock";
  const nameOf = new Map(edges.map((e) => [e.neighbour.hostNumber, e.neighbour.hostId]));
  const name = (number: number) => nameOf.get(number) ?? `host ${number}`;
  const used = correction.edges.filter((e) => e.expelled === "" && e.weight >= OUTVOTED_WEIGHT);
  const outvoted = correction.edges.filter((e) => e.expelled === "" && e.weight < OUTVOTED_WEIGHT);
  const expelled = correction.edges.filter((e) => e.expelled !== "");
  const parts = [`${used.length} of ${edges.length} edges agree`];
  if (outvoted.length > 0) {
    const list = outvoted.map((e) => `${name(e.hostNumber)} (${Math.round(e.residualNs)} ns off)`);
    parts.push(`outvoted: ${list.join(", ")}`);
  }
  if (expelled.length > 0) {
    parts.push(
      `expelled: ${expelled.map((e) => `${name(e.hostNumber)} (${e.expelled})`).join(", ")}`,
    );
  }
  if (!correction.trusted) parts.push(correction.reason || "this round brought nothing new");
  return parts.join("; ");
}

function segmentStatus(s: DomainSegment) {
  return {
    raw_ns: String(s.rawNs),
    domain_ns: String(s.domainUnixNs),
    domain_fraction_ns: s.domainFractionNs,
    freq_ppb: s.freqPpb,
  };
}
