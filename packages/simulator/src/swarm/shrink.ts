/**
 * Makes a failing schedule smaller while it still fails: event by event, then change by change.
 *
 * A schedule counts as failing in the same way while it breaks one of the rules that it broke at first.
 * What is left is rarely the smallest that there is, but small enough to be read.
 */
import type { FailureEvent, Schedule } from "./schedule.ts";
import { runSchedule, type Trial, type TrialOptions } from "./trial.ts";

/** Smaller schedules that are tried at most: each is run in full. */
const RUNS_MAX = 60;

/** The smallest failing schedule found, with what it came to. */
export function shrink(failed: Trial, options: TrialOptions): Trial {
  const rules = new Set(failed.violations.map((v) => v.rule));
  let best = failed;
  let runs = 0;
  const tryEvents = (events: readonly FailureEvent[]): boolean => {
    if (runs++ >= RUNS_MAX) return false;
    // Times stay as they are: the same things happen at the same instants.
    const trial = runSchedule({ ...best.schedule, events }, options);
    if (!trial.violations.some((v) => rules.has(v.rule))) return false;
    best = trial;
    return true;
  };
  for (let i = best.schedule.events.length - 1; i >= 0; i--) {
    tryEvents(best.schedule.events.filter((_, j) => j !== i));
  }
  for (let i = best.schedule.events.length - 1; i >= 0; i--) {
    for (let k = best.schedule.events[i].changes.length - 1; k >= 0; k--) {
      if (best.schedule.events[i].changes.length === 1) break;
      const without = (e: FailureEvent) => ({
        ...e,
        changes: e.changes.filter((_, j) => j !== k),
      });
      tryEvents(best.schedule.events.map((e, j) => (j === i ? without(e) : e)));
    }
  }
  return shorten(best, rules, options);
}

/** Ends a schedule soon after the fault, when it is not about the end. */
function shorten(trial: Trial, rules: ReadonlySet<string>, options: TrialOptions): Trial {
  const { violations, schedule } = trial;
  const first = violations.find((v) => v.rule !== "not back");
  if (!first) return trial;
  const short: Schedule = { ...schedule, endS: Math.min(schedule.endS, Math.ceil(first.atS) + 1) };
  const again = runSchedule(short, { ...options, judgeEnd: false });
  return again.violations.some((v) => rules.has(v.rule)) ? again : trial;
}
