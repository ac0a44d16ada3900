/** Works through orders on some threads; who is stuck is ended, and what it was stuck in kept. */
import { Worker } from "node:worker_threads";
import type { Cases, Tally } from "./engine.ts";
import { type Order, Slate } from "./worker.ts";

/** A thread whose case has not ended after so long never will (ms). */
const STUCK_MS = 60_000;
/** Threads are looked at this often (ms). */
const LOOK_MS = 200;

/** Runs all, `threads` at a time; `progress` is told the cases done in all, now and then. */
export async function runAll(
  all: readonly Cases[],
  threads: number,
  progress: (done: number) => void,
): Promise<Tally[]> {
  const open = [...all];
  const tallies: Tally[] = [];
  const slates = new Set<Slate>();
  const told = () => {
    const running = [...slates].reduce((sum, slate) => sum + slate.cases, 0);
    progress(running + tallies.reduce((sum, { cases }) => sum + cases, 0));
  };
  const timer = setInterval(told, LOOK_MS);
  const work = async () => {
    for (let cases = open.shift(); cases; cases = open.shift()) {
      const slate = new Slate();
      slates.add(slate);
      const tally = await runOne(cases, slate);
      slates.delete(slate);
      tallies.push(tally);
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  clearInterval(timer);
  return tallies;
}

/** Runs cases in a thread of their own. */
function runOne(cases: Cases, slate: Slate): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url));
    const startMs = performance.now();
    let lastCases = -1;
    let sinceMs = startMs;
    const end = (tally: Tally) => {
      clearInterval(look);
      void worker.terminate();
      resolve(tally);
    };
    const look = setInterval(() => {
      const nowMs = performance.now();
      if (slate.cases !== lastCases) {
        lastCases = slate.cases;
        sinceMs = nowMs;
      }
      if (nowMs - sinceMs > STUCK_MS) end(stuck(cases, slate, nowMs - startMs));
    }, LOOK_MS);
    worker.on("message", end);
    worker.on("error", (error) => {
      clearInterval(look);
      reject(error);
    });
    worker.postMessage({ cases, shared: slate.shared } satisfies Order);
  });
}

function stuck({ target, seed, from }: Cases, slate: Slate, tookMs: number): Tally {
  const { cases, input } = slate;
  const detail = `has not ended after ${STUCK_MS / 1e3} s`;
  return {
    target,
    cases,
    accepted: 0,
    refused: 0,
    findings: [{ target, kind: "hang", seed, index: from + cases, detail, input }],
    slowestMs: STUCK_MS,
    growthBytes: 0,
    seconds: tookMs / 1e3,
    blocks: 0,
    kept: 0,
  };
}
