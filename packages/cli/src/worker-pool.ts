/** Spreads jobs over worker threads, one for each core. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

const WORKERS_MAX = 16;

/**
 * Runs all jobs; results come in the order of the jobs, whoever was first.
 *
 * @param workerUrl a module that answers each job that it is posted with its result
 * @param onDone called with each result as it comes
 */
export async function runInWorkers<Job, Done>(
  workerUrl: URL,
  jobs: readonly Job[],
  onDone: (done: Done, doneCount: number) => void,
): Promise<Done[]> {
  const results: Done[] = Array(jobs.length);
  let next = 0;
  let doneCount = 0;
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(workerUrl);
      let at = -1;
      const take = () => {
        at = next++;
        if (at < jobs.length) worker.postMessage(jobs[at]);
        else worker.terminate().then(() => resolve(), reject);
      };
      worker.on("message", (done: Done) => {
        results[at] = done;
        onDone(done, ++doneCount);
        take();
      });
      worker.on("error", reject);
      take();
    });
  const count = Math.min(WORKERS_MAX, availableParallelism(), jobs.length);
  await Promise.all(Array.from({ length: count }, work));
  return results;
}
