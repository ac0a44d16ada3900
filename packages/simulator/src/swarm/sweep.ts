/** One piece of a swarm's work: some seeds, run one after the other; plain data in and out. */
import type { OracleRule, Violation } from "../sim/oracle.ts";
import { type EventKind, isEventKind } from "./events.ts";
import { drawSchedule, type FailureEvent, type Schedule } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { runSchedule, type Trial } from "./trial.ts";

/** What to do. */
export interface SwarmJob {
  readonly seeds: readonly number[];
  readonly light: boolean;
  /** Kinds of events to draw from. */
  readonly kinds: readonly EventKind[];
  /** True: what fails is made smaller. */
  readonly shrink: boolean;
}

/** A schedule that broke a rule. */
export interface Failed {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  readonly schedule: Schedule;
  /** The smallest schedule found that still fails, and how it does. */
  readonly smallest?: { readonly schedule: Schedule; readonly violations: readonly Violation[] };
}

/** How often a kind of event was drawn, by schedule, and in how many that broke a rule. */
export interface KindCount {
  schedules: number;
  failed: number;
  events: number;
}

/** What the seeds came to. */
export interface SwarmDone {
  readonly schedules: number;
  readonly simulatedS: number;
  readonly failed: readonly Failed[];
  readonly kinds: Readonly<Partial<Record<EventKind, KindCount>>>;
  readonly rules: Readonly<Partial<Record<OracleRule, number>>>;
}

/** Runs the seeds of a job. */
export function runSwarmJob(job: SwarmJob): SwarmDone {
  const failed: Failed[] = [];
  const kinds: Partial<Record<EventKind, KindCount>> = {};
  const rules: Partial<Record<OracleRule, number>> = {};
  let simulatedS = 0;
  for (const seed of job.seeds) {
    const schedule = drawSchedule(seed, job.kinds);
    simulatedS += schedule.endS;
    const trial = runSchedule(schedule, job);
    const broke = trial.violations.length > 0;
    countKinds(kinds, schedule.events, broke);
    if (!broke) continue;
    for (const rule of new Set(trial.violations.map((v) => v.rule))) {
      rules[rule] = (rules[rule] ?? 0) + 1;
    }
    failed.push(failedOf(trial, job));
  }
  return { schedules: job.seeds.length, simulatedS, failed, kinds, rules };
}

/** The kinds that these words name; undefined: the word that names none. */
export function parseKinds(words: readonly string[]): readonly EventKind[] | { unknown: string } {
  const unknown = words.find((word) => !isEventKind(word));
  return unknown === undefined ? (words as EventKind[]) : { unknown };
}

function failedOf(trial: Trial, job: SwarmJob): Failed {
  const { schedule, violations, violationCount } = trial;
  const told = { seed: schedule.seed, violations, violationCount, schedule };
  if (!job.shrink) return told;
  const smallest = shrink(trial, job);
  return {
    ...told,
    smallest: { schedule: smallest.schedule, violations: smallest.violations },
  };
}

function countKinds(
  kinds: Partial<Record<EventKind, KindCount>>,
  events: readonly FailureEvent[],
  broke: boolean,
): void {
  const seen = new Set<EventKind>();
  for (const { kind, changes, lies } of events) {
    if (changes.length + lies.length === 0) continue;
    const count = kinds[kind] ?? { schedules: 0, failed: 0, events: 0 };
    kinds[kind] = count;
    count.events++;
    if (seen.has(kind)) continue;
    seen.add(kind);
    count.schedules++;
    if (broke) count.failed++;
  }
}
