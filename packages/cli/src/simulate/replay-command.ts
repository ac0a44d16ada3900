/** The command that repeats one run of a simulation. */
import type { RunResult } from "@ttcs/simulator";

/** What was changed on the command line, as it stood there. */
export interface WorldOptions {
  readonly seconds?: number;
  readonly hosts?: number;
  readonly neighbours?: number;
  readonly pairsPerSecond?: number;
  readonly light?: boolean;
  /** The paper's method runs beside ours. */
  readonly paper?: boolean;
}

/** The command line of one run, seed and all. */
export function replayCommand({ scenario, seed }: RunResult, options: WorldOptions): string {
  const words = ["ttcs simulate", scenario.name, `--seed ${seed}`];
  const add = (option: string, value: number | undefined) => {
    if (value !== undefined) words.push(`${option} ${value}`);
  };
  add("--seconds", options.seconds);
  add("--hosts", options.hosts);
  add("--neighbours", options.neighbours);
  add("--pairs-per-second", options.pairsPerSecond);
  if (options.light) words.push("--light");
  if (options.paper) words.push("--paper");
  return words.join(" ");
}
