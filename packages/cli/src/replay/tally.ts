/** What a replay came to: per host over time, per edge in sums, and all in all. */
import {
  type ClosedRound,
  CURVE_STEP,
  type Estimate,
  type OddKind,
  type TracePlan,
} from "@ttcs/simulator";
import type { Truth } from "./truth.ts";

/** Odd rows in words. */
export const oddWords: Readonly<Record<OddKind, string>> = {
  unknownEdge: "of an edge that trace.json does not know",
  doubled: "doubled",
  backwards: "with a stamp that goes backwards",
  pairFell: "with a pair number that falls",
  tooFar: "more than 104 days from the host's first stamp",
};

/** One host's course; all columns have an entry per estimate. */
export interface HostTally {
  /** Instant since the first round's (s). */
  readonly atS: number[];
  readonly sigmaNs: number[];
  readonly boundNs: number[];
  readonly freqPpb: number[];
  readonly edgeCount: number[];
  /** Estimated minus true (ns); NaN: the truth is not told. */
  readonly errorNs: number[];
}

/** One edge, summed up. */
export interface EdgeTally {
  readonly a: number;
  readonly b: number;
  /** Windows that were fitted and trusted, and those that were not. */
  fitCount: number;
  distrustCount: number;
  keptShareSum: number;
  lossSum: number;
  delayForwardNsMin: number;
  delayReverseNsMin: number;
  /** What the mesh made of it, over the rounds in which it took part. */
  solvedCount: number;
  residualNsSum: number;
  weightSum: number;
  /** Weights and residuals in turn, for a small picture. */
  readonly weights: number[];
  readonly residualsNs: number[];
  /** Why it was distrusted or expelled: by kind, how often and what was said last. */
  readonly reasons: Map<string, { count: number; text: string }>;
}

/** What is said of a window with one direction only. */
const ONE_WAY = "only 0.0 s of probes";

/** Points of the curve of coverage: up to 3 sigma. */
const COVERAGE_POINTS = 31;

/** Reasons differ in their figures; this many kinds are kept per edge. */
const REASONS_MAX = 8;

/** See the module head. */
export class Tally {
  readonly hosts: readonly HostTally[];
  readonly edges: readonly EdgeTally[];
  estimateCount = 0;
  roundCount = 0;
  /** Any window had probes in both directions. */
  hadBothWays = false;
  readonly hasTruth: boolean;
  readonly #truth: Truth | undefined;
  readonly #edgeByEnds = new Map<number, EdgeTally>();
  #zeroRefNs: bigint | undefined;

  constructor(plan: TracePlan, truth: Truth | undefined) {
    this.#truth = truth;
    this.hasTruth = truth !== undefined;
    this.hosts = plan.hosts.map(() => ({
      atS: [],
      sigmaNs: [],
      boundNs: [],
      freqPpb: [],
      edgeCount: [],
      errorNs: [],
    }));
    this.edges = plan.edges.map(([a, b]) => {
      const tally = newEdge(a, b);
      this.#edgeByEnds.set(a * plan.hosts.length + b, tally);
      return tally;
    });
  }

  /** Adds a round. */
  add(round: ClosedRound): void {
    this.roundCount++;
    this.#zeroRefNs ??= round.closeRefRawNs;
    const atS = Number(round.closeRefRawNs - this.#zeroRefNs) * 1e-9;
    for (const estimate of round.estimates) this.#addEstimate(estimate, atS, round);
    for (const fit of round.fits) {
      const edge = this.#edge(fit.owner, fit.other);
      if (fit.distrust !== ONE_WAY) this.hadBothWays = true;
      if (fit.distrust) {
        edge.distrustCount++;
        count(edge.reasons, fit.distrust);
        continue;
      }
      edge.fitCount++;
      edge.keptShareSum += fit.keptShare;
      edge.lossSum += (fit.lossForward + fit.lossReverse) / 2;
      edge.delayForwardNsMin = Math.min(edge.delayForwardNsMin, fit.delayForwardNsMin);
      edge.delayReverseNsMin = Math.min(edge.delayReverseNsMin, fit.delayReverseNsMin);
    }
    for (const [owner, views] of round.result?.edges ?? []) {
      for (const { hostNumber, residualNs, weight, expelled } of views) {
        const edge = this.#edgeByEnds.get((owner - 1) * this.hosts.length + hostNumber - 1);
        // Each edge is told to both of its ends; only its first one counts.
        if (!edge) continue;
        if (expelled) count(edge.reasons, expelled);
        if (!Number.isFinite(residualNs)) continue;
        edge.solvedCount++;
        edge.residualNsSum += residualNs;
        edge.weightSum += weight;
        edge.weights.push(weight);
        edge.residualsNs.push(residualNs);
      }
    }
  }

  /** All values of a column, sorted; the sizes of errors, without those that are not known. */
  sorted(column: "sigmaNs" | "boundNs" | "errorNs"): Float64Array {
    const all = this.hosts.flatMap((host) => host[column].map(Math.abs));
    return Float64Array.from(all.filter((value) => !Number.isNaN(value))).sort();
  }

  /** Shares of the errors within 0, 0.1, 0.2 ... sigma; empty without truth. */
  get coverageCurve(): number[] {
    const offs = this.hosts.flatMap(({ errorNs, sigmaNs }) =>
      errorNs.map((error, i) => Math.abs(error) / sigmaNs[i]).filter((off) => !Number.isNaN(off)),
    );
    const within = (sigmas: number) => offs.filter((off) => off <= sigmas).length / offs.length;
    return offs.length === 0
      ? []
      : Array.from({ length: COVERAGE_POINTS }, (_, i) => within(i * CURVE_STEP));
  }

  /** Share of the errors that are within their bound, 0 to 1; NaN without truth. */
  get withinShare(): number {
    let within = 0;
    let known = 0;
    for (const { errorNs, boundNs } of this.hosts) {
      errorNs.forEach((error, i) => {
        if (Number.isNaN(error)) return;
        known++;
        if (Math.abs(error) <= boundNs[i]) within++;
      });
    }
    return known === 0 ? Number.NaN : within / known;
  }

  #addEstimate(estimate: Estimate, atS: number, round: ClosedRound): void {
    const host = this.hosts[estimate.host];
    this.estimateCount++;
    host.atS.push(atS);
    host.sigmaNs.push(estimate.sigmaNs);
    host.boundNs.push(estimate.boundNs);
    host.freqPpb.push(estimate.freqPpb);
    host.edgeCount.push(round.result?.edges.get(estimate.host + 1)?.length ?? 0);
    host.errorNs.push(this.#truth?.errorNs(estimate) ?? Number.NaN);
  }

  #edge(owner: number, other: number): EdgeTally {
    return this.#edgeByEnds.get((owner - 1) * this.hosts.length + other - 1)!;
  }
}

const newEdge = (a: number, b: number): EdgeTally => ({
  a,
  b,
  fitCount: 0,
  distrustCount: 0,
  keptShareSum: 0,
  lossSum: 0,
  delayForwardNsMin: Infinity,
  delayReverseNsMin: Infinity,
  solvedCount: 0,
  residualNsSum: 0,
  weightSum: 0,
  weights: [],
  residualsNs: [],
  reasons: new Map(),
});

/** Counts a reason; those that differ in their figures only fall together. */
function count(reasons: EdgeTally["reasons"], text: string): void {
  const kind = text.replace(/\d+(\.\d+)?/g, "#");
  const known = reasons.get(kind);
  if (!known && reasons.size >= REASONS_MAX) return;
  reasons.set(kind, { count: (known?.count ?? 0) + 1, text });
}

/** Quantile of sorted values, by the nearest rank; NaN of nothing. */
export const quantile = (sorted: Float64Array, share: number): number =>
  sorted.length === 0
    ? Number.NaN
    : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
