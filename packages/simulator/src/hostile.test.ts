import { clone } from "@bufbuild/protobuf";
import { CoordinatorMessageSchema } from "@ttcs/protocol";
import { hashText } from "@ttcs/units";
import { expect, test, vi } from "vitest";
import { Hostile, type Lie, ramped, shifted } from "./hostile.ts";
import { simOptions } from "./sim/options.ts";
import type { SimHost } from "./sim/sim-host.ts";
import { Simulation } from "./sim/simulation.ts";

/** Simulated worlds take their time on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

const SEEDS = [1, 2];
const HOSTS = 6;
const ALL = Array.from({ length: HOSTS }, (_, i) => i);
/** An odd round goes one way, an even one the other. */
const sign = (sinceS: number) => (Math.floor(sinceS * 2) % 2 === 0 ? 1 : -1);

const lies: Record<string, Lie> = {
  "a second ahead": (c) => shifted(c, 1e9),
  "rates that are no number": (c) => {
    for (const s of c.segments) s.freqPpb = Number.NaN;
  },
  "rates of 1e300": (c) => {
    for (const s of c.segments) s.freqPpb = 1e300;
  },
  "half a millisecond to and fro": (c, sinceS) => shifted(c, 5e5 * sign(sinceS)),
  "half a millisecond for good": (c) => shifted(c, 5e5),
  "50 us to and fro": (c, sinceS) => shifted(c, 5e4 * sign(sinceS)),
  "0.9 ms more each round": (c, sinceS) => shifted(c, 9e5 * Math.floor(2 * sinceS + 1)),
  "40 us a second": (c, sinceS) => ramped(c, sinceS, 40_000),
  "40 us a second under a bound of 1e300": (c, sinceS) => {
    ramped(c, sinceS, 40_000);
    c.boundNs = 1e300;
  },
  "3 us a second": (c, sinceS) => ramped(c, sinceS, 3_000),
};

function attacked(seed: number, victims: readonly number[], lie: Lie, seconds = 12) {
  const world = new Simulation(simOptions({ seed, hosts: HOSTS, pairsPerSecond: 20 }));
  world.run(20e9);
  const steps = world.steps.join();
  const hostile = new Hostile(world, victims, lie);
  world.run(world.nowNs + seconds * 1e9);
  return { world, hostile, stepped: world.steps.join() !== steps };
}

const us = (ns: number) => `${(ns / 1000).toFixed(2)} us`;
const verdict = (world: Simulation, host: SimHost) =>
  host.core.standing(host.rawAt(world.nowNs)).verdict;

test.each(Object.entries(lies))(
  "a coordinator that sends one host %s does not get it to move",
  (name, lie) => {
    for (const seed of SEEDS) {
      const { world, hostile, stepped } = attacked(seed, [3], lie);
      const { worstNs, speedNs, othersNs, stoppedS, backwards } = hostile;
      console.log(
        `${name} (seed ${seed}): moved by ${us(worstNs)}, ${us(speedNs)}/s at most, ` +
          `stopped after ${stoppedS?.toFixed(1)} s, others ${us(othersNs)}`,
      );
      expect(stepped).toBe(false);
      expect(backwards).toBe(0);
      expect(worstNs).toBeLessThan(300_000);
      expect(speedNs).toBeLessThan(50_100);
      expect(stoppedS).toBeLessThan(6);
      expect(othersNs).toBeLessThan(500);
      expect(verdict(world, world.hosts[3]).state).toBe("HOLDOVER");
      expect(verdict(world, world.hosts[3]).reason).toContain("refused: ");
    }
  },
);

test.each(Object.entries(lies).filter(([name]) => !name.startsWith("3 us")))(
  "a coordinator that sends all hosts %s gets no step, and 300 us at most",
  (name, lie) => {
    const { hostile, stepped } = attacked(1, ALL, lie);
    console.log(`all, ${name}: ${us(hostile.worstNs)}, ${us(hostile.speedNs)}/s`);
    expect(stepped).toBe(false);
    expect(hostile.backwards).toBe(0);
    expect(hostile.speedNs).toBeLessThan(50_100);
    expect(hostile.worstNs).toBeLessThan(300_000);
  },
);

test("neighbours that are lied to, and refuse it, are no witnesses against an honest line", () => {
  // One jump is obeyed, the next is refused as too fast, and told to neighbours all the same.
  const toOthers: Lie = (c, sinceS) => shifted(c, sinceS < 1 ? 150_000 : 340_000);
  const { world } = attacked(1, [], () => {}, 0);
  const hostile = new Hostile(world, [3], (c, sinceS) => shifted(c, sinceS < 2 ? 0 : 340_000));
  const { tamper } = world;
  world.tamper = (host, message) => {
    const bent = tamper!(host, message);
    if (host.index === 3 || bent.body.case !== "correction") return bent;
    const lie = clone(CoordinatorMessageSchema, bent);
    if (lie.body.case === "correction") toOthers(lie.body.value, hostile.sinceS);
    return lie;
  };
  const before = world.steps.join();
  // After 6 s the others may have come there at a legal pace, and 3 s later they are witnesses.
  world.run(world.nowNs + 8e9);
  console.log(`misled witnesses: moved by ${us(hostile.worstNs)}`);
  expect(hostile.worstNs).toBeLessThan(10_000);
  expect(world.steps.join()).toBe(before);
});

/** A saved state with another account. */
function accountOf(saved: string, accumulatedNs: number): string {
  const { version, body } = JSON.parse(saved);
  body.ledger.accumulatedNs = accumulatedNs;
  return JSON.stringify({ version, checksum: hashText(JSON.stringify(body)), body });
}

test("an overdrawn account is a panic: no restart lifts it, removing the file does", () => {
  const world = new Simulation(simOptions({ seed: 3, hosts: HOSTS, pairsPerSecond: 20 }));
  world.run(25e9);
  const victim = world.hosts[3];
  const restart = (saved: string | undefined) => {
    world.killAgent(victim);
    victim.saved = saved;
    world.run(world.nowNs + 1e9);
    world.startAgent(victim);
    world.run(world.nowNs + 10e9);
    return verdict(world, victim);
  };
  const before = world.steps.join();
  expect(restart(accountOf(victim.saved!, 9_999_000)).state).toBe("LOCKED");
  // Legal for every other limit: the whole fleet, at the pace of a far pull.
  const hostile = new Hostile(world, ALL, (c, sinceS) => ramped(c, sinceS, 10_000));
  world.run(world.nowNs + 5e9);
  expect(verdict(world, victim).state).toBe("REFUSED");
  expect(verdict(world, victim).reason).toMatch(/^panic: .*10\.0 ms.*limit is 10 ms/);
  expect(verdict(world, victim).advice).toContain(`remove ${victim.id}/agent-state.json`);
  const setting = victim.clock.settingPpb;
  // Honest again from here on: what keeps it from obeying is the panic alone.
  world.tamper = undefined;
  expect(restart(victim.saved)).toMatchObject({ state: "REFUSED" });
  expect(victim.clock.settingPpb).toBe(setting);
  expect(world.steps.join()).toBe(before);
  console.log(`panic: moved by ${us(hostile.worstNs)} in all, by 10 us a second`);
  expect(restart(undefined).state).toBe("LOCKED");
});

test("when a taken coordinator is honest again, its victims come back without a step", () => {
  const { world } = attacked(1, [3], lies["40 us a second"]!, 20);
  world.tamper = undefined;
  const before = world.steps.join();
  world.run(world.nowNs + 15e9);
  expect(verdict(world, world.hosts[3]).state).toBe("LOCKED");
  expect(world.steps.join()).toBe(before);
});
