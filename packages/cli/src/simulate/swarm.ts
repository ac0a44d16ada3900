/** `ttcs simulate --swarm`: random schedules of failures, watched by the oracle, on all cores. */
import { parseKinds, type SwarmDone, type SwarmJob, usualKinds } from "@ttcs/simulator";
import pc from "picocolors";
import { fail } from "../fail.ts";
import { runInWorkers } from "../worker-pool.ts";
import { failedLine, type SwarmCall, smallestText, sumSwarm, swarmTable } from "./swarm-text.ts";

const fromSource = import.meta.url.endsWith(".ts");
const workerUrl = new URL(fromSource ? "./swarm-worker.ts" : "./swarm-worker.js", import.meta.url);

/** The command's options, as they come from the command line. */
export interface SwarmOptions extends SwarmCall {
  readonly count: number;
  readonly firstSeed: number;
}

/** Schedules that are made smaller, of those that break a rule: each takes a minute. */
const SHRUNK_MAX = 5;
/** Seeds that a worker takes at once. */
const SEEDS_PER_JOB = 2;

/** Runs a swarm; status 1 when a rule was broken. */
export async function runSwarm(options: SwarmOptions): Promise<void> {
  const named = options.kinds ? parseKinds(options.kinds) : usualKinds();
  if ("unknown" in named) {
    const all = usualKinds().join(", ");
    return fail(`ttcs simulate: --kinds: there is no event "${named.unknown}"; there is ${all}`);
  }
  const { count, firstSeed, light } = options;
  const jobs: SwarmJob[] = [];
  for (let at = 0; at < count; at += SEEDS_PER_JOB) {
    const length = Math.min(SEEDS_PER_JOB, count - at);
    const seeds = Array.from({ length }, (_, i) => firstSeed + at + i);
    jobs.push({ seeds, light, kinds: named, shrink: false });
  }
  const startMs = performance.now();
  let failedCount = 0;
  const parts = await runInWorkers<SwarmJob, SwarmDone>(workerUrl, jobs, (done, doneCount) => {
    clearProgress();
    for (const failed of done.failed) {
      failedCount++;
      process.stdout.write(`${pc.red(failedLine(failed, options))}\n`);
    }
    tellProgress(doneCount, jobs.length, failedCount);
  });
  clearProgress();
  const tookS = (performance.now() - startMs) / 1e3;
  const sum = sumSwarm(parts);
  await tellSmallest(sum, options, named as SwarmJob["kinds"]);
  process.stdout.write(swarmTable(sum, tookS));
  if (sum.failed.length > 0) process.exitCode = 1;
}

/** The first of those that failed, each as small as it can be made. */
async function tellSmallest(
  { failed }: SwarmDone,
  { light }: SwarmOptions,
  kinds: SwarmJob["kinds"],
): Promise<void> {
  const jobs = failed
    .slice(0, SHRUNK_MAX)
    .map(({ seed }): SwarmJob => ({ seeds: [seed], light, kinds, shrink: true }));
  if (jobs.length === 0) return;
  const shrunk = await runInWorkers<SwarmJob, SwarmDone>(workerUrl, jobs, () => {});
  for (const one of shrunk.flatMap((done) => done.failed)) {
    process.stdout.write(`seed ${one.seed}, made smaller:\n${smallestText(one)}`);
  }
}

function tellProgress(done: number, all: number, failed: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\x1b[K${((100 * done) / all).toFixed(0)} %, ${failed} broke a rule`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
}
