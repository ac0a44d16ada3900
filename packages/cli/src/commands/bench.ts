/**
 * `ttcs bench accuracy`: seeded worlds, ours beside the paper's method, other programs and an
 * oracle. Every figure is made anew from its seed.
 */
import { sweepMeshes } from "@ttcs/simulator";
import { goalsOf } from "../bench/goals.ts";
import { type BenchPlan, jobsOf, planBench, scenarioNames } from "../bench/plan.ts";
import { runJobs } from "../bench/pool.ts";
import { benchHtml } from "../bench/report.ts";
import { meshResult, worldResult } from "../bench/results.ts";
import {
  accuracyHead,
  accuracyRow,
  columns,
  coverageHead,
  coverageRow,
  goalsText,
  meshHead,
  meshRow,
} from "../bench/table.ts";
import { fail, reasonOf } from "../fail.ts";
import { endQuietlyWithoutReader } from "../process-life.ts";
import { OutFile } from "../replay/out-file.ts";

/** The command's options, as they come from the command line. */
export interface BenchAccuracyOptions {
  readonly scenario?: readonly string[];
  readonly seeds?: number;
  readonly firstSeed: number;
  readonly seconds?: number;
  readonly hosts?: number;
  readonly quick?: boolean;
  readonly check?: boolean;
  readonly report?: string;
  readonly json?: string;
}

/** Runs the table. */
export async function runBenchAccuracy(options: BenchAccuracyOptions): Promise<void> {
  const unknown = options.scenario?.find((name) => !scenarioNames.includes(name));
  if (unknown !== undefined) {
    return fail(`ttcs bench accuracy: --scenario ${unknown}: give ${scenarioNames.join(", ")}`);
  }
  endQuietlyWithoutReader();
  const plan = planBench(options);
  const jobs = jobsOf(plan);
  const startMs = performance.now();
  const done = await runJobs(jobs, (count) => tellProgress(count, jobs.length));
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const worlds = plan.worlds.flatMap((world) => worldResult(world, done) ?? []);
  const meshes = sweepMeshes.flatMap((mesh) => meshResult(mesh, done) ?? []);
  const goals = goalsOf(worlds, meshes);
  const tookS = (performance.now() - startMs) / 1e3;
  const head = headText(plan, tookS);
  if (options.report !== undefined) {
    writeWhole(options.report, benchHtml({ head, worlds, meshes, goals }));
  }
  if (options.json !== undefined) {
    writeWhole(options.json, `${JSON.stringify({ head, worlds, meshes, goals }, null, 1)}\n`);
  }
  process.stdout.write(head);
  if (worlds.length > 0) {
    process.stdout.write(`\n${columns([accuracyHead, ...worlds.map(accuracyRow)])}`);
    process.stdout.write(`\n${columns([coverageHead, ...worlds.map(coverageRow)])}`);
  }
  if (meshes.length > 0) {
    process.stdout.write(`\n${columns([meshHead, ...meshes.map(meshRow)])}`);
  }
  process.stdout.write(`\n${goalsText(goals)}`);
  if (options.check && goals.some(({ holds }) => !holds)) process.exitCode = 1;
}

function writeWhole(path: string, text: string): void {
  try {
    const file = new OutFile(path);
    file.write(text);
    file.finish();
  } catch (error) {
    fail(`ttcs bench accuracy: ${path}: cannot be written: ${reasonOf(error)}`);
  }
}

function headText({ seeds, firstSeed, seconds }: BenchPlan, tookS: number): string {
  const list = Array.from({ length: Math.min(seeds, 20) }, (_, i) => firstSeed + i).join(", ");
  return (
    `|estimate - truth| of all hosts, causal, after 15 s of settling; ${seconds} s each, ` +
    `seeds ${list}${seeds > 20 ? ", ..." : ""}; took ${tookS.toFixed(0)} s\n` +
    "paper: 2 s windows one after the other, SVM with C = 10, least squares, last line carried on; " +
    "wide: the same behind our\n  own pair filter; the ratio is to the better of both. " +
    "packets/s: probes of one host. chrony, ptp4l: measured once, not here\n"
  );
}

function tellProgress(count: number, all: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\x1b[K${count} of ${all} recordings`);
}
