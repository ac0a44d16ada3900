/** Collects what a laboratory run showed and sums it up. */
import type { DaemonSlew } from "@ttcs/timestamper";
import { boundLimitNs, PathTable } from "./best-path.ts";
import type { Costs } from "./costs.ts";
import { type HostSummary, HostTally, type Worst, worstOf } from "./host-tally.ts";
import type { Observer, Sight } from "./observer.ts";
import { domainTruth } from "./observer.ts";
import { median, type Percentiles, percentiles } from "./percentiles.ts";
import { ProbeSums, type ProbeTotals } from "./probe-sums.ts";
import { PullTrack, type ReferencePull } from "./pull-track.ts";

export { type Percentiles, percentiles } from "./percentiles.ts";

/** Samples before this are the start-up (s); the error percentiles leave them out. */
export const SETTLED_AFTER_S = 20;

/** One host at one instant, said and true. */
export interface Sample {
  readonly id: string;
  readonly atS: number;
  readonly state: string;
  /** As the agent says (ns). */
  readonly reportedOffsetNs: number | null;
  readonly boundNs: number | null;
  /** As the agent says: its system clock is within this of UTC (ns). */
  readonly utcBoundNs: number | null;
  /** System clock minus domain time in truth (ns); null before there is domain time. */
  readonly trueErrorNs: number | null;
  /** System clock minus true UTC (ns). */
  readonly utcErrorNs: number;
}

/** What a process cost. */
export interface ProcessCost {
  readonly id: string;
  readonly cpu_seconds: number;
  readonly memory_mb: number;
}

/** The summary at the end of a run. Errors and bounds are of the instant that a host named. */
export interface LabSummary {
  readonly seed: number;
  readonly hosts: number;
  readonly seconds: number;
  readonly settled_after_s: number;
  /** |system - domain| in truth, of the steered hosts, from `settled_after_s` on. */
  readonly true_error_ns: Percentiles;
  /** Guaranteed bound as the hosts published it. */
  readonly bound_ns: Percentiles;
  /** Of all samples of all hosts that published a bound. */
  readonly within_bound_share: number | null;
  readonly samples: number;
  /** The first samples in which the truth was outside of the bound: there should be none. */
  readonly outside: readonly {
    readonly id: string;
    readonly at_s: number;
    readonly state: string;
    readonly true_error_ns: number | null;
    readonly bound_ns: number | null;
  }[];
  /** |system - true UTC|, and the bound on it as published, of all hosts, from then on. */
  readonly utc_error_ns: Percentiles;
  readonly utc_bound_ns: Percentiles;
  /** Of all samples of all hosts that published a bound to UTC. */
  readonly within_utc_bound_share: number | null;
  readonly utc_samples: number;
  /** 1.3 times half the round trip of the best path to the reference and 1 us; median of hosts. */
  readonly bound_limit_p50_ns: number | null;
  /** Of the steered hosts with such a path, how many have a median bound within it. */
  readonly hosts_within_bound_limit: number;
  readonly hosts_with_bound_limit: number;
  /** |domain - the reference's system clock| in truth. */
  readonly domain_minus_reference_ns: Percentiles;
  /** The same around the daemon's slew; null without one. */
  readonly reference_pull: ReferencePull | null;
  /** By host; and the steered host with the largest p99 of its true error. */
  readonly per_host: Readonly<Record<string, HostSummary>>;
  readonly worst_host: Worst | null;
  readonly probes: ProbeTotals;
  /** By host, from the start of the laboratory; null: never. */
  readonly seconds_to_locked: Readonly<Record<string, number | null>>;
  readonly processes: readonly ProcessCost[];
  /** Processor by part of the work and memory, from `settled_after_s` to the end. */
  readonly costs?: Costs;
  /** What the server has counted and turned away. */
  readonly server_counters?: Readonly<Record<string, number>>;
}

/** So many of the samples outside of their bounds are told one by one. */
const OUTSIDE_TOLD = 10;

/** See the module head. */
export class Figures {
  readonly #outside: Sample[] = [];
  readonly #startMs: number;
  readonly #tallies = new Map<string, HostTally>();
  readonly #paths = new PathTable();
  readonly #pull = new PullTrack();
  readonly #probes = new ProbeSums();
  #slew: DaemonSlew | undefined;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** Seconds since the start. */
  get elapsedS(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  /** Seconds to LOCKED of one host, if it has been. */
  lockedAtS(id: string): number | undefined {
    return this.#tallies.get(id)?.lockedAtS;
  }

  /** Judges one look at a host against the truth. */
  judge(
    observer: Observer,
    sight: Sight,
    reference: Observer,
    line: Sight["status"]["line"],
  ): Sample {
    const { now, status } = sight;
    const { id, role, clock } = observer.host;
    const kernelRawNs = BigInt(now.kernel_monotonic_raw_ns);
    const systemNs = observer.systemAt(kernelRawNs);
    const domain = domainTruth(reference, line, kernelRawNs);
    const sample: Sample = {
      id,
      atS: this.elapsedS,
      state: now.state,
      reportedOffsetNs: status.offset_ns,
      boundNs: now.bound_ns,
      utcBoundNs: now.utc_bound_ns,
      trueErrorNs: domain === undefined ? null : Number(systemNs - domain),
      utcErrorNs: Number(systemNs - observer.utcAt(kernelRawNs)),
    };
    const { trueErrorNs, boundNs } = sample;
    const outside = trueErrorNs !== null && boundNs !== null && Math.abs(trueErrorNs) > boundNs;
    if (outside && this.#outside.length < OUTSIDE_TOLD) this.#outside.push(sample);
    const settled = sample.atS >= SETTLED_AFTER_S;
    this.#tallyOf(id, role).add(sample, settled);
    this.#probes.note(id, status.counters);
    if (settled) this.#paths.note(id, status.neighbours);
    if (role === "reference" && sample.trueErrorNs !== null) {
      this.#slew = clock.slew;
      const sinceS = Number(kernelRawNs - clock.startKernelRawNs) * 1e-9;
      this.#pull.add(sinceS, sample.trueErrorNs);
    }
    return { ...sample, state: status.state };
  }

  summary(options: { seed: number; ids: readonly string[]; processes: ProcessCost[] }): LabSummary {
    const { seed, ids, processes } = options;
    const tallies = ids.flatMap((id) => this.#tallies.get(id) ?? []);
    const steered = tallies.filter(({ role }) => role !== "reference");
    const references = tallies.filter(({ role }) => role === "reference");
    const all = (of: readonly HostTally[], list: (t: HostTally) => readonly number[]) =>
      percentiles(of.flatMap(list));
    const count = (of: (t: HostTally) => number) => tallies.reduce((sum, t) => sum + of(t), 0);
    const share = (part: number, whole: number) => (whole > 0 ? part / whole : null);
    const samples = count((t) => t.bounded);
    const utcSamples = count((t) => t.utcBounded);
    return {
      seed,
      hosts: ids.length,
      seconds: Math.round(this.elapsedS * 10) / 10,
      settled_after_s: SETTLED_AFTER_S,
      true_error_ns: all(steered, (t) => t.errorsNs),
      bound_ns: all(steered, (t) => t.boundsNs),
      within_bound_share: share(
        count((t) => t.within),
        samples,
      ),
      samples,
      outside: this.#outside.map(({ id, atS, state, trueErrorNs, boundNs }) => {
        return { id, at_s: atS, state, true_error_ns: trueErrorNs, bound_ns: boundNs };
      }),
      utc_error_ns: all(tallies, (t) => t.utcErrorsNs),
      utc_bound_ns: all(tallies, (t) => t.utcBoundsNs),
      within_utc_bound_share: share(
        count((t) => t.utcWithin),
        utcSamples,
      ),
      utc_samples: utcSamples,
      ...this.#boundLimits(steered, references[0]?.id),
      domain_minus_reference_ns: all(references, (t) => t.errorsNs),
      reference_pull: this.#slew ? this.#pull.around(this.#slew) : null,
      per_host: Object.fromEntries(tallies.map((t) => [t.id, t.summary()])),
      worst_host: worstOf(steered),
      probes: this.#probes.totals,
      seconds_to_locked: Object.fromEntries(ids.map((id) => [id, roundOrNull(this.lockedAtS(id))])),
      processes,
    };
  }

  /** Sets the bounds of the steered hosts against what their best paths allow. */
  #boundLimits(steered: readonly HostTally[], reference: string | undefined) {
    const paths = reference ? this.#paths.fromReference(reference) : new Map<string, number>();
    const limits: number[] = [];
    let within = 0;
    for (const tally of steered) {
      const halfNs = paths.get(tally.id);
      const boundNs = median(tally.boundsNs);
      if (halfNs === undefined || boundNs === undefined) continue;
      tally.boundLimitNs = boundLimitNs(halfNs);
      limits.push(tally.boundLimitNs);
      if (boundNs <= tally.boundLimitNs) within++;
    }
    return {
      bound_limit_p50_ns: percentiles(limits).p50,
      hosts_within_bound_limit: within,
      hosts_with_bound_limit: limits.length,
    };
  }

  #tallyOf(id: string, role: string): HostTally {
    let tally = this.#tallies.get(id);
    if (!tally) {
      tally = new HostTally(id, role);
      this.#tallies.set(id, tally);
    }
    return tally;
  }
}

const roundOrNull = (s: number | undefined): number | null =>
  s === undefined ? null : Math.round(s * 10) / 10;
