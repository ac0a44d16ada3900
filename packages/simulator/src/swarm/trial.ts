/** Runs schedules under the oracle. */

import { type SimChanges, simOptions } from "../sim/options.ts";
import { Oracle, type Violation } from "../sim/oracle.ts";
import { LIGHT } from "../sim/run.ts";
import { Simulation } from "../sim/simulation.ts";
import { type Schedule, worldOf } from "./schedule.ts";

/** What a schedule came to. */
export interface Trial {
  readonly schedule: Schedule;
  readonly violations: readonly Violation[];
  /** All of them, also those that were not told one by one. */
  readonly violationCount: number;
  readonly hash: string;
}

/** How schedules are run. */
export interface TrialOptions {
  readonly light: boolean;
  /** False: who is not LOCKED at the end is not told. */
  readonly judgeEnd?: boolean;
  /** Is given the world before anything happens, to look into it. */
  readonly open?: (world: Simulation) => void;
}

/** Fewer probes than the default, more than the light world. */
const USUAL: SimChanges = { pairsPerSecond: 20 };

/** Runs a schedule to its end. */
export function runSchedule(
  schedule: Schedule,
  { light, judgeEnd = true, open }: TrialOptions,
): Trial {
  const world = new Simulation(simOptions(worldOf(schedule), light ? LIGHT : USUAL));
  const oracle = new Oracle(world);
  open?.(world);
  world.run(schedule.endS * 1e9);
  if (judgeEnd) oracle.judgeEnd();
  const { violations, count } = oracle;
  return { schedule, violations, violationCount: count, hash: world.hash.hex };
}
