import { expect, test } from "vitest";
import { simScenarios } from "../scenarios/index.ts";
import { type RunChanges, runScenario, runToEnd } from "./run.ts";
import { missed, scenario } from "./scenario.ts";
import type { Simulation } from "./simulation.ts";

const named = (name: string) => simScenarios.find((s) => s.name === name)!;
/** A short version: five hosts, few pairs. */
const short: RunChanges = { hosts: 5, seconds: 30, pairsPerSecond: 20 };

test("one seed has one hash, another seed another one", () => {
  const hash = (seed: number) =>
    runToEnd(named("load-40"), { ...short, seconds: 22, seed }).figures.hash;
  const first = hash(4);
  expect(hash(4)).toBe(first);
  expect(hash(5)).not.toBe(first);
});

test("looking in from outside does not change the course", () => {
  const run = runScenario(named("quiet-lan"), { ...short, seconds: 22 }, (world) => {
    world.log = [];
  });
  for (let step = run.next(); ; step = run.next()) {
    if (!step.done) continue;
    const { hash } = runToEnd(named("quiet-lan"), { ...short, seconds: 22 }).figures;
    expect(step.value.figures.hash).toBe(hash);
    break;
  }
});

test.each(["quiet-lan", "early-8", "one-slot-both", "loss"])(
  "%s: hosts lock, clocks agree, and truth stays within every bound",
  (name) => {
    const { figures } = runToEnd(named(name), short);
    console.log(`${name}, seed 1: p50 ${figures.errorNs.p50?.toFixed(0)} ns`);
    expect(figures.lockedS).toBeLessThan(15);
    expect(figures.errorNs.p99).toBeLessThan(500);
    expect([figures.outsideBound, figures.outsideUtc]).toEqual([0, 0]);
    expect(figures.boundSamples).toBeGreaterThan(1_000);
    expect(figures.utcSamples).toBeGreaterThan(1_000);
    expect(figures.stepsMax).toBe(1);
  },
);

test("a coordinator that dies leaves hosts in holdover; its successor finds them again", () => {
  const world = scenario({
    number: 1,
    name: "short",
    summary: "",
    settleS: 12,
    seconds: 34,
    world: { changes: [{ kind: "coordinator", atS: 14, forS: 6 }] },
    limits: {},
  });
  let opened: Simulation | undefined;
  const run = runScenario(world, { hosts: 5, pairsPerSecond: 20 }, (w) => {
    opened = w;
  });
  const states = new Map<number, string[]>();
  for (let step = run.next(); !step.done; step = run.next()) {
    const now = opened!.hosts.map((h) => h.core.standing(h.rawAt(opened!.nowNs)).verdict.state);
    states.set(step.value, now);
  }
  expect(states.get(13.5)).toEqual(Array(5).fill("LOCKED"));
  expect(states.get(19)).toEqual(Array(5).fill("HOLDOVER"));
  expect(states.get(33)).toEqual(Array(5).fill("LOCKED"));
});

test("a pause hands nothing over and then goes on; a cut host is told from the others", () => {
  const world = scenario({
    number: 1,
    name: "short",
    summary: "",
    settleS: 12,
    world: {
      changes: [
        { kind: "pause", atS: 14, forS: 3, host: 3 },
        { kind: "cut", atS: 14, forS: 6, from: [4], to: "all", bothWays: true },
      ],
    },
    limits: {},
  });
  let opened: Simulation | undefined;
  const run = runScenario(world, { hosts: 6, pairsPerSecond: 20, seconds: 30 }, (w) => {
    opened = w;
  });
  let pausedRaw = 0n;
  for (let step = run.next(); ; step = run.next()) {
    const state = (i: number) => {
      const host = opened!.hosts[i];
      return host.core.standing(host.rawAt(opened!.nowNs)).verdict.state;
    };
    if (step.done) {
      expect([2, 3, 4, 5].map(state)).toEqual(Array(4).fill("LOCKED"));
      expect(step.value.figures.outsideBound).toBe(0);
      break;
    }
    if (step.value === 15) pausedRaw = opened!.hosts[3].core.nowRawNs;
    if (step.value === 16.5) expect(opened!.hosts[3].core.nowRawNs).toBe(pausedRaw);
    if (step.value === 19) expect([2, 4, 5].map(state)).toEqual(["LOCKED", "HOLDOVER", "LOCKED"]);
  }
});

test("limits that are missed are told with value and limit; three hold without being named", () => {
  const { figures } = runToEnd(named("quiet-lan"), { ...short, seconds: 22 });
  expect(missed({}, figures)).toEqual([]);
  expect(missed({ p99Ns: 0.5, lockedS: 1, lockedShare: 1.1 }, figures)).toHaveLength(3);
  expect(missed({}, { ...figures, outsideBound: 1, stepsMax: 2 })).toEqual([
    "outside of the bound 1.0 looks, limit 0 looks",
    "steps of one clock 2.0, limit 1",
  ]);
  expect(missed({ p99Ns: 1 }, { ...figures, errorNs: { ...figures.errorNs, p99: null } })).toEqual([
    "error p99: nothing was measured",
  ]);
});

test("scenarios have numbers and names of their own, in order", () => {
  const numbers = simScenarios.map((s) => s.number);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(new Set(simScenarios.map((s) => s.name.toLowerCase())).size).toBe(numbers.length);
});
