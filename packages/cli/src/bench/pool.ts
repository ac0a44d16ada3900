/** Spreads the bench's jobs over worker threads. */
import { runInWorkers } from "../worker-pool.ts";
import type { Done, Job } from "./job.ts";

const fromSource = import.meta.url.endsWith(".ts");
const workerUrl = new URL(fromSource ? "./worker.ts" : "./bench-worker.js", import.meta.url);

/** Runs all jobs; results come in the order of the jobs, whoever was first. */
export const runJobs = (
  jobs: readonly Job[],
  onDone: (doneCount: number) => void,
): Promise<Done[]> => runInWorkers<Job, Done>(workerUrl, jobs, (_, count) => onDone(count));
