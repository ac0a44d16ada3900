/**
 * `ttcs bench cost`: what a round of the coordinator and a fit of an agent cost, and how that grows.
 *
 * Figures, no verdict: a machine that is busy with other things would fail a limit without reason.
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { measureFits } from "../bench-cost/fit-cost.ts";
import { measureRounds, type RoundCost } from "../bench-cost/round-cost.ts";
import { growthTable, roundTable, verdictLines } from "../bench-cost/table.ts";
import { fail, reasonOf } from "../fail.ts";
import { endQuietlyWithoutReader } from "../process-life.ts";

/** The command's options, as they come from the command line. */
export interface BenchCostOptions {
  readonly hosts?: readonly number[];
  readonly neighbours: number;
  readonly rounds: number;
  readonly seed: number;
  readonly json?: string;
}

/** Sizes that are measured unless others are named. */
const HOST_COUNTS: readonly number[] = [100, 300, 1_000, 3_000, 10_000];
/** Rounds before the measured ones, by which the compiler has seen what there is to see. */
const WARM_UP_HOST_ROUNDS = 60_000;
const WARM_UP_ROUNDS_MIN = 12;
/** The compiler warms up on this size, before any is measured. */
const WARM_UP_HOSTS = 300;

/** Measures and prints. */
export function runBenchCost(options: BenchCostOptions): void {
  endQuietlyWithoutReader();
  const { neighbours, rounds, seed, json } = options;
  const hostCounts = [...new Set(options.hosts ?? HOST_COUNTS)].sort((a, b) => a - b);
  const print = (text: string) => process.stdout.write(`${text}\n`);
  print(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.versions.node}, seed ${seed}`);
  print(`load of the machine: ${loadavg()[0].toFixed(1)} on ${cpus().length} processors\n`);
  const measure = (hostCount: number): RoundCost =>
    measureRounds(hostCount, {
      neighbours,
      seed,
      rounds,
      warmUpRounds: Math.max(WARM_UP_ROUNDS_MIN, Math.ceil(WARM_UP_HOST_ROUNDS / hostCount)),
    });
  measure(WARM_UP_HOSTS);
  const costs = hostCounts.map(measure);
  const fit = measureFits(seed);
  print(`A round of ${neighbours} neighbours each: the median of ${rounds}, parts in ms`);
  print(roundTable(costs));
  print("\nGrowth: as which power of the number of hosts, from size to size");
  print(growthTable(costs));
  print("");
  for (const line of verdictLines(costs, fit)) print(line);
  if (json === undefined) return;
  try {
    writeFileSync(json, `${JSON.stringify({ neighbours, seed, rounds: costs, fit }, null, 2)}\n`);
  } catch (error) {
    fail(`ttcs bench cost: ${json}: cannot be written: ${reasonOf(error)}`, 1);
  }
}
