/**
 * A scenario: what differs from the default world, for how long, and what must hold.
 *
 * A limit that is not given is not judged, but for three that hold everywhere unless a scenario says
 * otherwise: truth never leaves a bound to domain time nor one to UTC, and no clock is stepped twice.
 */
import type { Percentiles, SimFigures } from "./figures.ts";
import type { SimChanges } from "./options.ts";

/** What must hold; errors are |system - domain| in truth (ns). */
export interface Limits {
  readonly p50Ns?: number;
  readonly p90Ns?: number;
  readonly p99Ns?: number;
  readonly maxNs?: number;
  readonly pairwiseP99Ns?: number;
  /** Of regions: inside one, and across. */
  readonly insideP99Ns?: number;
  readonly acrossP50Ns?: number;
  readonly acrossP99Ns?: number;
  /** All hosts are LOCKED for the first time within this (s). */
  readonly lockedS?: number;
  /** Share of looks at which hosts were LOCKED, at least. */
  readonly lockedShare?: number;
  /** Looks at which truth may be outside of a bound: 0 unless said otherwise. */
  readonly outsideBound?: number;
  readonly outsideUtc?: number;
  /** Steps of any one clock: 1 unless said otherwise. */
  readonly steps?: number;
  /** Changes of state from the settling time on. */
  readonly stateChanges?: number;
}

/** See the module head. */
export interface Scenario {
  readonly number: number;
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Simulated time (s), and from when on errors count (s). */
  readonly seconds: number;
  readonly settleS: number;
  readonly world: SimChanges;
  readonly limits: Limits;
}

/** A scenario with what all have in common. */
export function scenario(
  given: Pick<Scenario, "number" | "name" | "summary" | "limits"> & Partial<Scenario>,
): Scenario {
  return { seconds: 120, settleS: 20, world: {}, ...given };
}

/** The limits that hold at any cost of a run: those on bounds and steps. */
export function withoutErrors({ outsideBound, outsideUtc, steps }: Limits): Limits {
  return {
    ...(outsideBound === undefined ? {} : { outsideBound }),
    ...(outsideUtc === undefined ? {} : { outsideUtc }),
    ...(steps === undefined ? {} : { steps }),
  };
}

/** What of the limits was missed, in words. */
export function missed(limits: Limits, f: SimFigures): string[] {
  const out: string[] = [];
  const most = (what: string, value: number | null, limit: number | undefined, unit: string) => {
    if (limit === undefined) return;
    if (value === null) out.push(`${what}: nothing was measured`);
    else if (value > limit) out.push(`${what} ${round(value)}${unit}, limit ${limit}${unit}`);
  };
  const error = (key: keyof Percentiles) => f.errorNs[key];
  most("error p50", error("p50"), limits.p50Ns, " ns");
  most("error p90", error("p90"), limits.p90Ns, " ns");
  most("error p99", error("p99"), limits.p99Ns, " ns");
  most("largest error", error("max"), limits.maxNs, " ns");
  most("pairwise error p99", f.pairwiseNs.p99, limits.pairwiseP99Ns, " ns");
  most("error inside a region p99", f.insideNs.p99, limits.insideP99Ns, " ns");
  most("error across regions p50", f.acrossNs.p50, limits.acrossP50Ns, " ns");
  most("error across regions p99", f.acrossNs.p99, limits.acrossP99Ns, " ns");
  if (limits.lockedS !== undefined && f.lockedS === null) out.push("not all hosts were LOCKED");
  else most("last host LOCKED after", f.lockedS, limits.lockedS, " s");
  if (limits.lockedShare !== undefined && f.lockedShare < limits.lockedShare) {
    out.push(`LOCKED ${percent(f.lockedShare)} of the time, limit ${percent(limits.lockedShare)}`);
  }
  most("outside of the bound", f.outsideBound, limits.outsideBound ?? 0, " looks");
  most("outside of the bound to UTC", f.outsideUtc, limits.outsideUtc ?? 0, " looks");
  most("steps of one clock", f.stepsMax, limits.steps ?? 1, "");
  most("changes of state", f.stateChanges, limits.stateChanges, "");
  return out;
}

const round = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
