import { expect, test, vi } from "vitest";
import { simOptions } from "../sim/options.ts";
import { Oracle } from "../sim/oracle.ts";
import { Simulation } from "../sim/simulation.ts";
import { eventKinds, usualKinds } from "./events.ts";
import { drawSchedule, lastS, type Schedule } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { runSwarmJob } from "./sweep.ts";
import { runSchedule } from "./trial.ts";

// The machine may be busy with other things.
vi.setConfig({ testTimeout: 120_000 });

test("a seed draws one schedule, another seed another one; everything is over before the tail", () => {
  expect(drawSchedule(7)).toEqual(drawSchedule(7));
  expect(drawSchedule(8)).not.toEqual(drawSchedule(7));
  for (let seed = 1; seed <= 300; seed++) {
    const { hosts, events, quietS, endS } = drawSchedule(seed);
    expect(lastS(events)).toBeLessThanOrEqual(quietS);
    expect(endS).toBeLessThanOrEqual(90);
    for (const change of events.flatMap((e) => e.changes)) {
      expect(change.atS).toBeGreaterThanOrEqual(4);
      if ("forS" in change) expect(change.forS).toBeGreaterThan(0);
      if ("host" in change) expect(change.host).toBeLessThan(hosts);
    }
  }
});

test("a few hundred schedules have every kind of event in them", () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    for (const { kind, changes, lies } of drawSchedule(seed, eventKinds()).events) {
      if (changes.length + lies.length > 0) seen.add(kind);
    }
  }
  expect([...seen].sort()).toEqual(eventKinds().sort());
});

test("a schedule has one course, whoever watches", () => {
  const schedule: Schedule = { ...drawSchedule(3), endS: 20 };
  const { hash } = runSchedule(schedule, { light: true, judgeEnd: false });
  const again = runSchedule(schedule, {
    light: true,
    judgeEnd: false,
    open: (world) => {
      world.log = [];
    },
  });
  expect(again.hash).toBe(hash);
});

/** A world of five hosts in which somebody tampers with an agent from 14 s on. */
function tampered(tamper: (world: Simulation) => void, seconds = 17): Oracle {
  const world = new Simulation(simOptions({ hosts: 5, pairsPerSecond: 10, seed: 4 }));
  const oracle = new Oracle(world);
  world.run(14e9);
  expect(oracle.violations).toEqual([]);
  tamper(world);
  world.run(seconds * 1e9);
  return oracle;
}

const rules = (oracle: Oracle) => [...new Set(oracle.violations.map((v) => v.rule))].sort();

test("a clock that is off without anybody's deed is outside its bound", () => {
  // Just before a look: no agent has read its clock since.
  const oracle = tampered((world) => {
    world.run(14.099e9);
    for (const host of world.hosts.slice(1)) host.clock.step(world.nowNs, 1e6);
  }, 14.1);
  expect(rules(oracle)).toContain("bound");
  expect(oracle.violations[0]).toMatchObject({ seed: 4, atS: 14.1 });
});

test("a step after the first lock, one back, and a setting beyond the limits are told", () => {
  const oracle = tampered((world) => {
    const [host] = world.hosts.slice(2);
    oracleOf(world).stepped(host, -5e6);
    oracleOf(world).wrote(host, 90_000);
    oracleOf(world).wrote(host, Number.NaN);
  }, 14.05);
  expect(rules(oracle)).toEqual(["slew", "step"]);
  const back = tampered((world) => world.hosts[2].clock.step(world.nowNs, -1e9), 14.15);
  expect(rules(back)).toContain("backward");
});

test("a deed of another hand is forgiven for a moment, and no longer", () => {
  const forgiven = tampered((world) => {
    world.hosts[3].clock.step(world.nowNs, 100e3);
    oracleOf(world).disturbed(world.hosts[3], 100e3);
  });
  expect(forgiven.violations).toEqual([]);
});

test("a lower term, and two terms at once, are told", () => {
  const oracle = tampered((world) => {
    const [, one, two] = world.hosts;
    const term = one.core.keeper.term;
    const said = { line: one.core.keeper.line, boundNs: 0, term };
    withTerm(one, term + 5n, () => oracleOf(world).obeyed(one, said));
    withTerm(one, term + 4n, () => oracleOf(world).obeyed(one, said));
    world.run(world.nowNs + 1.5e9);
    oracleOf(world).obeyed(two, said);
  });
  expect(rules(oracle).filter((rule) => rule.includes("term"))).toEqual(["term", "two terms"]);
});

test("a new line that leaps away from the old one is told", () => {
  const oracle = tampered((world) => {
    const [, one, two] = world.hosts;
    oracleOf(world).obeyed(one, { term: 1n, line: two.core.keeper.line, boundNs: 0 });
  }, 14.05);
  expect(rules(oracle)).toEqual(["leap"]);
});

test("who is not LOCKED at the end has not come back", () => {
  const world = new Simulation(simOptions({ hosts: 4, pairsPerSecond: 10, seed: 4 }));
  const oracle = new Oracle(world);
  world.run(2e9);
  oracle.judgeEnd();
  expect(oracle.violations.map((v) => v.rule)).toEqual(Array(4).fill("not back"));
});

test("what fails is made smaller as long as it fails in the same way", () => {
  const drawn = drawSchedule(17);
  const gone: Schedule["events"][number] = {
    kind: "kill several",
    lies: [],
    // Never started again within the schedule.
    changes: [1, 2, 3].map((host) => ({ kind: "partition", atS: 10, forS: 300, hosts: [host] })),
  };
  const events = [...drawn.events.slice(0, 2), gone];
  const schedule: Schedule = { ...drawn, events, endS: 34 };
  const options = { light: true };
  const failed = runSchedule(schedule, options);
  expect(failed.violations.some((v) => v.rule === "not back")).toBe(true);
  const smallest = shrink(failed, options);
  expect(smallest.schedule.events).toHaveLength(1);
  expect(smallest.violations.length).toBeGreaterThan(0);
});

test("a swarm of a dozen schedules breaks no rule, and is counted by kind", () => {
  const seeds = Array.from({ length: 12 }, (_, i) => 1001 + i);
  const done = runSwarmJob({ seeds, light: true, kinds: usualKinds(), shrink: false });
  console.log(`seeds 1001 to 1012: ${done.simulatedS.toFixed(0)} s simulated`);
  expect(done.failed.map((f) => [f.seed, f.violations])).toEqual([]);
  expect(done.schedules).toBe(12);
  expect(Object.keys(done.kinds).length).toBeGreaterThan(10);
});

const oracleOf = (world: Simulation): Oracle => world.witness as Oracle;

/** Lets an agent look as if it obeyed another term. */
function withTerm(host: Simulation["hosts"][number], term: bigint, then: () => void): void {
  Object.defineProperty(host.core.keeper, "term", { value: term, configurable: true });
  then();
  delete (host.core.keeper as { term?: bigint }).term;
}
