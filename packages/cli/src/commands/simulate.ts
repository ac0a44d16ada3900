/**
 * `ttcs simulate`: seeded worlds around the shipped cores, judged by limits.
 *
 * Status 0: all limits were kept; 1: some were missed, or the file for the figures could not be
 * written; 2: the command line makes no sense; 130: Ctrl-C.
 */
import { accessSync, constants, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import {
  PaperTwin,
  type RunResult,
  runScenario,
  type Scenario,
  simScenarios,
} from "@ttcs/simulator";
import pc from "picocolors";
import { fail, reasonOf } from "../fail.ts";
import { endQuietlyWithoutReader } from "../process-life.ts";
import { chooseScenarios, numberText, parseSeeds } from "../simulate/choose.ts";
import { headText, lineText, type Run } from "../simulate/columns.ts";
import { paperText, ratiosText } from "../simulate/paper-text.ts";
import { Progress } from "../simulate/progress.ts";
import { replayCommand, type WorldOptions } from "../simulate/replay-command.ts";
import { runSwarm } from "../simulate/swarm.ts";

/** The command's options, as they come from the command line. */
export interface SimulateOptions extends WorldOptions {
  readonly seed: number;
  readonly seeds?: string;
  readonly list?: boolean;
  readonly json?: string;
  /** Schedules of random failures to run, instead of scenarios. */
  readonly swarm?: number;
  readonly kinds?: readonly string[];
}

/** Standard output that is no terminal takes lines of any width. */
const ENDLESS = 1_000;
/** Between two looks for a signal the simulation runs for so long (ms). */
const BREATHE_MS = 50;

/** Runs scenarios; see the module head for the status. */
export async function runSimulate(
  names: readonly string[],
  options: SimulateOptions,
): Promise<void> {
  endQuietlyWithoutReader();
  if (options.swarm !== undefined) {
    if (names.length > 0) return end("--swarm draws its own worlds; name no scenario beside it");
    const { swarm: count, seed: firstSeed, light = false, kinds } = options;
    return runSwarm({ count, firstSeed, light, ...(kinds ? { kinds } : {}) });
  }
  const chosen = chooseScenarios(names, simScenarios);
  if ("unknown" in chosen) return end(`there is no scenario "${chosen.unknown}"; see --list`);
  const seeds = options.seeds === undefined ? [options.seed] : parseSeeds(options.seeds);
  if (!seeds) return end(`--seeds ${options.seeds}: give a range like 1-20`);
  if (options.list) return list(chosen);
  const fault = faultOf(chosen, options);
  if (fault) return end(fault);
  if (options.json !== undefined) checkPlace(options.json);
  const width = process.stdout.isTTY ? process.stdout.columns : ENDLESS;
  process.stdout.write(`${pc.bold(headText(width))}\n`);
  const runs: Run[] = [];
  for (const scenario of chosen) {
    for (const seed of seeds) {
      const run = await runOne(scenario, seed, options);
      process.stdout.write(`${lineText(run, width)}\n`);
      if (run.paper) {
        process.stdout.write(`    ${paperText(run.result.figures.acrossNs, run.paper)}\n`);
      }
      tellMissed(run.result, options);
      runs.push(run);
    }
  }
  for (const scenario of chosen) {
    const ratios = ratiosText(runs.filter(({ result }) => result.scenario === scenario));
    if (ratios) process.stdout.write(`${ratios}\n`);
  }
  sumUp(runs);
  if (options.json !== undefined) writeJson(options.json, runs, options);
}

/** Runs one world, with a breath in between for signals. */
async function runOne(scenario: Scenario, seed: number, options: SimulateOptions): Promise<Run> {
  const { seconds = scenario.seconds, hosts, neighbours, pairsPerSecond, light } = options;
  const changes = {
    seed,
    seconds,
    ...(hosts === undefined ? {} : { hosts }),
    ...(neighbours === undefined ? {} : { neighbours }),
    ...(pairsPerSecond === undefined ? {} : { pairsPerSecond }),
    ...(light ? { light } : {}),
  };
  let twin: PaperTwin | undefined;
  const run = runScenario(scenario, changes, (world) => {
    if (options.paper) twin = new PaperTwin(world, scenario.settleS);
  });
  const progress = new Progress(`${scenario.name}, seed ${seed}`, seconds);
  const interrupt = () => {
    progress.clear();
    fail("ttcs simulate: interrupted", 130);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  let breathedMs = performance.now();
  for (;;) {
    const step = run.next();
    if (step.done) {
      progress.clear();
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
      const ours = { result: step.value, tookS: progress.tookS };
      return twin ? { ...ours, paper: twin.across } : ours;
    }
    if (performance.now() - breathedMs < BREATHE_MS) continue;
    progress.tell(step.value);
    await breathe();
    breathedMs = performance.now();
  }
}

/** What of the command line makes no world. */
function faultOf(chosen: readonly Scenario[], options: SimulateOptions): string | undefined {
  const { hosts, seconds, paper } = options;
  for (const { name, settleS, world } of chosen) {
    if (paper && (world.regions ?? 1) === 1) {
      return `--paper compares errors across regions; ${name} has one region`;
    }
    const named = hostsNamed(world);
    if (hosts !== undefined && named >= hosts) {
      return `--hosts ${hosts}: ${name} needs ${named + 1} hosts at least`;
    }
    if (seconds !== undefined && seconds <= settleS) {
      return `--seconds ${seconds}: ${name} judges errors from ${settleS} s on; give more`;
    }
  }
  return undefined;
}

/** The largest index of a host that a scenario's changes and lies speak of; -1: none. */
function hostsNamed({ changes = [], lies = [] }: Scenario["world"]): number {
  const named = [...lies.map((l) => l.host), ...lies.flatMap((l) => l.to ?? [])];
  for (const change of changes) {
    if ("host" in change) named.push(change.host);
    for (const key of ["from", "to", "hosts"] as const) {
      const set = (change as { readonly [K in typeof key]?: unknown })[key];
      if (Array.isArray(set)) named.push(...(set as number[]));
    }
  }
  return Math.max(-1, ...named);
}

function tellMissed(result: RunResult, options: SimulateOptions): void {
  if (result.missed.length === 0) return;
  for (const what of result.missed) process.stdout.write(pc.red(`    missed: ${what}\n`));
  for (const o of result.figures.outside.slice(0, 2)) {
    const where = `${o.host} (${o.state}) at ${o.atS.toFixed(1)} s`;
    const far = `error ${o.errorNs.toFixed(1)} ns, bound ${o.boundNs.toFixed(1)} ns`;
    process.stdout.write(`    outside of the bound to ${o.to}: ${where}, ${far}\n`);
  }
  process.stdout.write(`    seed ${result.seed}; again: ${replayCommand(result, options)}\n`);
}

function sumUp(runs: readonly Run[]): void {
  const bad = runs.filter((r) => r.result.missed.length > 0).length;
  const simulatedS = runs.reduce((sum, r) => sum + r.result.seconds, 0);
  const tookS = runs.reduce((sum, r) => sum + r.tookS, 0);
  const speed = `${(simulatedS / tookS).toFixed(1)} x real time`;
  const all = `${runs.length} run(s), ${simulatedS.toFixed(0)} s in ${tookS.toFixed(1)} s: ${speed}`;
  process.stdout.write(`${all}; ${bad === 0 ? "all limits kept" : `${bad} missed a limit`}\n`);
  if (bad > 0) process.exitCode = 1;
}

function list(chosen: readonly Scenario[]): void {
  for (const scenario of chosen) {
    const head = `${numberText(scenario)} ${scenario.name}`.padEnd(26);
    process.stdout.write(`${head}${String(scenario.seconds).padStart(5)} s  ${scenario.summary}\n`);
  }
}

/** A long run shall not end with figures that have no place. */
function checkPlace(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    end(`${path}: cannot be written: ${reasonOf(error)}`);
  }
}

function writeJson(path: string, runs: readonly Run[], options: SimulateOptions): void {
  const rows = runs.map(({ result, tookS, paper }) => ({
    number: result.scenario.number,
    name: result.scenario.name,
    seed: result.seed,
    hosts: result.hosts,
    seconds: result.seconds,
    x_real_time: result.seconds / tookS,
    figures: result.figures,
    ...(paper ? { paper_across_ns: paper } : {}),
    missed: result.missed,
    again: replayCommand(result, options),
  }));
  try {
    writeFileSync(path, `${JSON.stringify({ runs: rows }, undefined, 2)}\n`);
  } catch (error) {
    fail(`ttcs simulate: ${path}: cannot be written: ${reasonOf(error)}`, 1);
  }
}

const end = (message: string): never => fail(`ttcs simulate: ${message}`);
