/** What was seen of one host of a laboratory. */
import type { Sample } from "./figures.ts";
import { type Percentiles, percentiles } from "./percentiles.ts";

/** One host in the summary. */
export interface HostSummary {
  readonly true_error_ns: Percentiles;
  readonly bound_ns: Percentiles;
  /** How wide its bound may be: see `bound_limit_p50_ns`; null: no path to the reference was seen. */
  readonly bound_limit_ns: number | null;
  /** Of all its samples with a bound to domain time, or to UTC. */
  readonly within_bound_share: number | null;
  readonly within_utc_bound_share: number | null;
}

/** The host with the largest p99 of its true error. */
export interface Worst {
  readonly id: string;
  readonly true_error_p99_ns: number;
}

/** See the module head. Lists are of the settled part of the run. */
export class HostTally {
  readonly id: string;
  readonly role: string;
  /** Magnitudes of errors, and bounds (ns). */
  readonly errorsNs: number[] = [];
  readonly boundsNs: number[] = [];
  readonly utcErrorsNs: number[] = [];
  readonly utcBoundsNs: number[] = [];
  /** Samples with a bound, and those of them in which the truth was within it. */
  bounded = 0;
  within = 0;
  utcBounded = 0;
  utcWithin = 0;
  lockedAtS: number | undefined;
  boundLimitNs: number | undefined;

  constructor(id: string, role: string) {
    this.id = id;
    this.role = role;
  }

  add(sample: Sample, settled: boolean): void {
    const { state, atS, trueErrorNs, boundNs, utcErrorNs, utcBoundNs } = sample;
    if (state === "LOCKED") this.lockedAtS ??= atS;
    if (trueErrorNs !== null && boundNs !== null) {
      this.bounded++;
      if (Math.abs(trueErrorNs) <= boundNs) this.within++;
      if (settled) {
        this.errorsNs.push(Math.abs(trueErrorNs));
        this.boundsNs.push(boundNs);
      }
    }
    if (utcBoundNs !== null) {
      this.utcBounded++;
      if (Math.abs(utcErrorNs) <= utcBoundNs) this.utcWithin++;
      if (settled) {
        this.utcErrorsNs.push(Math.abs(utcErrorNs));
        this.utcBoundsNs.push(utcBoundNs);
      }
    }
  }

  summary(): HostSummary {
    return {
      true_error_ns: percentiles(this.errorsNs),
      bound_ns: percentiles(this.boundsNs),
      bound_limit_ns: this.boundLimitNs === undefined ? null : Math.round(this.boundLimitNs),
      within_bound_share: this.bounded > 0 ? this.within / this.bounded : null,
      within_utc_bound_share: this.utcBounded > 0 ? this.utcWithin / this.utcBounded : null,
    };
  }
}

/** The worst of these hosts; null when none has an error yet. */
export function worstOf(tallies: readonly HostTally[]): Worst | null {
  let worst: Worst | null = null;
  for (const { id, errorsNs } of tallies) {
    const p99 = percentiles(errorsNs).p99;
    if (p99 === null || p99 <= (worst?.true_error_p99_ns ?? -1)) continue;
    worst = { id, true_error_p99_ns: p99 };
  }
  return worst;
}
