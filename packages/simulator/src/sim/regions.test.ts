import type { DomainMemory } from "@ttcs/coordinator/core";
import { expect, test } from "vitest";
import { simScenarios } from "../scenarios/index.ts";
import { LOOK_EVERY_NS } from "./figures.ts";
import { RegionFigures } from "./region-figures.ts";
import { runScenario, runToEnd } from "./run.ts";
import type { Simulation } from "./simulation.ts";
import { type Domain, domainOf } from "./truth.ts";

/** Worlds of some minutes; a loaded machine is no fault (ms). */
const TIMEOUT_MS = 120_000;

/** References and anchors of all regions by name, and who is tied to whom. */
function whoIsWho({ leadership, anchors, regions, gateways }: DomainMemory): string {
  const of = (id: string, ids: readonly string[]) => `${id} among ${[...ids].sort().join(" ")}`;
  const others = regions.map((r) => `${r.name}: ${of(r.leadership.referenceId, r.anchors)}`);
  const ties = gateways.map(({ a, b, owner }) => `${Math.min(a, b)}-${Math.max(a, b)} of ${owner}`);
  return [of(leadership.referenceId, anchors), ...others.sort(), ...ties.sort()].join("; ");
}

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
  "a coordinator that comes back knows each region's reference, its anchors and the gateways",
  () => {
    const scenario = scenarioOf(446);
    const seen = { before: new RegionFigures(), after: new RegionFigures() };
    const steps: string[] = [];
    const known: string[] = [];
    let world: Simulation | undefined;
    let domain: Domain | undefined;
    const run = runScenario(scenario, { seed: 2, seconds: 110 }, (w) => {
      world = w;
      w.observe(LOOK_EVERY_NS, () => {
        domain = domainOf(w.hosts, domain);
        const atS = w.nowNs * 1e-9;
        if (atS > 60 && atS < 80) seen.before.look(w.hosts, domain, w.nowNs);
        if (atS > 83) seen.after.look(w.hosts, domain, w.nowNs);
      });
    });
    for (;;) {
      const step = run.next();
      if (step.done) {
        expect(step.value.missed).toEqual([]);
        break;
      }
      if (step.value !== 79 && step.value !== 86 && step.value !== 109) continue;
      known.push(whoIsWho(world!.server!.memory));
      steps.push(world!.steps.join());
    }
    expect(known[0]).toContain("r1: ");
    expect(known[1]).toBe(known[0]);
    expect(known[2]).toBe(known[0]);
    expect(new Set(steps).size).toBe(1);
    const [before, after] = [seen.before, seen.after].map((f) => f.inside.percentiles([0.99])[0]!);
    console.log(
      `inside p99 (seed 2): ${before.toFixed(1)} ns before, ${after.toFixed(1)} ns after`,
    );
    expect(after).toBeLessThan(1.2 * before);
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
