import { expect, test } from "vitest";
import { simScenarios } from "../scenarios/index.ts";
import { runScenario, runToEnd } from "./run.ts";
import type { Simulation } from "./simulation.ts";

/** Worlds of some minutes; a loaded machine is no fault (ms). */
const TIMEOUT_MS = 120_000;

const scenarioOf = (number: number) => simScenarios.find((s) => s.number === number)!;

test(
  "three regions agree inside as tightly as one, and across in spite of milliseconds of jitter",
  () => {
    const { figures, missed } = runToEnd(scenarioOf(442), { seed: 3, seconds: 75, hosts: 9 });
    expect(missed).toEqual([]);
    expect(figures.outsideBound).toBe(0);
    // Half of a round trip of 60 ms stands in the bounds of two hosts of three.
    expect(figures.boundNs.p50).toBeGreaterThan(25e6);
  },
  TIMEOUT_MS,
);

test(
  "a region that is cut off goes on by itself, says so, and comes back by slew",
  () => {
    let world: Simulation | undefined;
    const run = runScenario(scenarioOf(444), { seed: 2, seconds: 140, hosts: 9 }, (w) => {
      world = w;
    });
    let alarmed = 0;
    for (;;) {
      const step = run.next();
      if (step.done) {
        expect(step.value.missed).toEqual([]);
        expect(step.value.figures.lockedShare).toBe(1);
        break;
      }
      const { keeper } = world!.hosts[2].core;
      const [alarm] = keeper.correction?.alarms ?? [];
      if (alarm) alarmed++;
      if (step.value > 70 && step.value < 119) {
        expect(alarm).toContain('no gateway edge from region "r2"');
        expect(keeper.correction?.localReferenceHostId).not.toBe("");
      }
    }
    expect(alarmed).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test(
  "when the leading region is gone, another region's line is domain time, and nobody is stepped again",
  () => {
    const { figures } = runToEnd(scenarioOf(445), { seed: 2, seconds: 150, hosts: 9 });
    expect(figures.stepsMax).toBe(1);
    expect(figures.outsideBound).toBe(0);
    expect(figures.insideNs.p99).toBeLessThan(200);
  },
  TIMEOUT_MS,
);
