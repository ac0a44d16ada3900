import { expect, test } from "vitest";
import { simScenarios } from "../scenarios/index.ts";
import { runScenario } from "../sim/run.ts";
import { PaperTwin } from "./paper-twin.ts";

/** A world of a minute and a half; a loaded machine is no fault (ms). */
const TIMEOUT_MS = 120_000;

/** Runs a world with the paper's method beside ours. */
function beside(number: number, seed: number) {
  const scenario = simScenarios.find((s) => s.number === number)!;
  let twin: PaperTwin | undefined;
  const run = runScenario(scenario, { seed, seconds: 85, hosts: 9 }, (world) => {
    twin = new PaperTwin(world, scenario.settleS);
  });
  for (;;) {
    const step = run.next();
    if (step.done) return { ...step.value.figures, papers: twin!.across };
  }
}

test(
  "on congested paths the paper's method is off by a hundred times more, on steady ones by tens of ns",
  () => {
    const congested = beside(442, 3);
    const steady = beside(441, 3);
    for (const { acrossNs, papers } of [congested, steady]) {
      console.log(`seed 3: across p99 ${acrossNs.p99} ns, the paper's ${papers.p99} ns`);
    }
    expect(congested.acrossNs.p99!).toBeLessThan(0.01 * congested.papers.p99!);
    // The twin is no straw man: where every window has clear probes, its middle is as good as ours.
    expect(steady.papers.p50!).toBeLessThan(30);
    expect(steady.acrossNs.p99!).toBeLessThan(100);
  },
  TIMEOUT_MS,
);

test(
  "the paper's method beside a world changes nothing of it",
  () => {
    const scenario = simScenarios.find((s) => s.number === 441)!;
    const hashes = [false, true].map((isWatched) => {
      const run = runScenario(scenario, { seed: 1, seconds: 8, hosts: 9 }, (world) => {
        if (isWatched) new PaperTwin(world, 0);
      });
      for (;;) {
        const step = run.next();
        if (step.done) return step.value.figures.hash;
      }
    });
    expect(hashes[0]).toBe(hashes[1]);
  },
  TIMEOUT_MS,
);
