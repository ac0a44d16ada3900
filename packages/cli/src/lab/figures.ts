/** Collects what a laboratory run showed and sums it up. */
import type { Observer, Sight } from "./observer.ts";
import { domainTruth } from "./observer.ts";

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
  /** System clock minus domain time in truth (ns); null before there is domain time. */
  readonly trueErrorNs: number | null;
}

/** Percentiles of a set (ns). */
export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** What a process cost. */
export interface ProcessCost {
  readonly id: string;
  readonly cpu_seconds: number;
  readonly memory_mb: number;
}

/** The summary at the end of a run. */
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
  /** |domain - the reference's system clock| in truth. */
  readonly domain_minus_reference_ns: Percentiles;
  /** By host, from the start of the laboratory; null: never. */
  readonly seconds_to_locked: Readonly<Record<string, number | null>>;
  readonly processes: readonly ProcessCost[];
}

/** See the module head. */
export class Figures {
  readonly #startMs: number;
  readonly #errorsNs: number[] = [];
  readonly #boundsNs: number[] = [];
  readonly #pullsNs: number[] = [];
  readonly #lockedAtS = new Map<string, number>();
  #bounded = 0;
  #within = 0;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** Seconds since the start. */
  get elapsedS(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  /** Seconds to LOCKED of one host, if it has been. */
  lockedAtS(id: string): number | undefined {
    return this.#lockedAtS.get(id);
  }

  /** Judges one look at a host against the truth. */
  judge(
    observer: Observer,
    sight: Sight,
    reference: Observer,
    line: Sight["status"]["line"],
  ): Sample {
    const { now, status } = sight;
    const { id, role } = observer.host;
    const kernelRawNs = BigInt(now.kernel_monotonic_raw_ns);
    const domain = domainTruth(reference, line, kernelRawNs);
    const trueErrorNs =
      domain === undefined ? null : Number(observer.systemAt(kernelRawNs) - domain);
    const atS = this.elapsedS;
    if (now.state === "LOCKED" && !this.#lockedAtS.has(id)) this.#lockedAtS.set(id, atS);
    if (trueErrorNs !== null && now.bound_ns !== null) {
      this.#bounded++;
      if (Math.abs(trueErrorNs) <= now.bound_ns) this.#within++;
      if (atS >= SETTLED_AFTER_S) this.#settled(role, trueErrorNs, now.bound_ns);
    }
    const { offset_ns: reportedOffsetNs, state } = status;
    return { id, atS, state, reportedOffsetNs, boundNs: now.bound_ns, trueErrorNs };
  }

  #settled(role: string, trueErrorNs: number, boundNs: number): void {
    if (role === "reference") {
      this.#pullsNs.push(Math.abs(trueErrorNs));
    } else {
      this.#errorsNs.push(Math.abs(trueErrorNs));
      this.#boundsNs.push(boundNs);
    }
  }

  summary(options: { seed: number; ids: readonly string[]; processes: ProcessCost[] }): LabSummary {
    const { seed, ids, processes } = options;
    return {
      seed,
      hosts: ids.length,
      seconds: Math.round(this.elapsedS * 10) / 10,
      settled_after_s: SETTLED_AFTER_S,
      true_error_ns: percentiles(this.#errorsNs),
      bound_ns: percentiles(this.#boundsNs),
      within_bound_share: this.#bounded ? this.#within / this.#bounded : null,
      samples: this.#bounded,
      domain_minus_reference_ns: percentiles(this.#pullsNs),
      seconds_to_locked: Object.fromEntries(
        ids.map((id) => [id, roundOrNull(this.#lockedAtS.get(id))]),
      ),
      processes,
    };
  }
}

const roundOrNull = (s: number | undefined): number | null =>
  s === undefined ? null : Math.round(s * 10) / 10;

/** Percentiles by the nearest rank. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted.length === 0
      ? null
      : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
