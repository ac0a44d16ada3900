/** Domain time on its long way after a reference whose source has moved for good. */
import { expect, test, vi } from "vitest";
import type { Change } from "./changes.ts";
import { simOptions } from "./options.ts";
import { Simulation } from "./simulation.ts";

/** Simulated worlds take their time on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

const SEED = 3;
const SLEW_PPB = 500_000;

/** The reference's source moves, and its clock with it; it is followed a minute later. */
function sourceMoves(
  moves: readonly { readonly atS: number; readonly ns: number }[],
  more: readonly Change[] = [],
): Simulation {
  const slews = moves.map(
    ({ atS, ns }): Change => ({
      kind: "slew",
      atS,
      forS: Math.abs(ns) / SLEW_PPB,
      host: 0,
      ppb: Math.sign(ns) * SLEW_PPB,
    }),
  );
  const changes = [...slews, ...more];
  const world = new Simulation(
    simOptions({ hosts: 5, pairsPerSecond: 10, seed: SEED }, { changes }),
  );
  world.log = [];
  for (const { atS, ns } of moves) {
    world.later(atS * 1e9, () => {
      world.hosts[0].daemon!.sourceErrorNs += ns;
    });
  }
  return world;
}

/** How far another clock is ahead of the reference's (us), every 10 s. */
function chase(world: Simulation, fromS: number, untilS: number): number[] {
  const apartUs: number[] = [];
  for (let s = fromS; s <= untilS; s += 10) {
    world.run(s * 1e9);
    const [source, other] = world.hosts.map(({ clock }) => clock.systemNsAt(s * 1e9));
    apartUs.push(Math.round((other - source) / 1000));
  }
  return apartUs;
}

const said = (world: Simulation, words: RegExp) => world.log!.filter((line) => words.test(line));

test("coordinators that remember nothing go on with a far pull as they find it", () => {
  const dies = [100, 115, 130].map((atS): Change => ({ kind: "coordinator", atS, forS: 1 }));
  const world = sourceMoves([{ atS: 20, ns: 1e6 }], dies);
  const apartUs = chase(world, 90, 240);
  console.log(`seed ${SEED}: domain time minus its source, us: ${apartUs.join(" ")}`);
  // It comes near without going past: a pull that is taken for pace has no reason to end.
  expect(Math.max(...apartUs)).toBeLessThan(20);
  expect(apartUs.at(-1)).toBeGreaterThan(-100);
  // The hosts have got other numbers, and are the same hosts.
  expect(said(world, /DISRUPTED|refused/)).toEqual([]);
});

test("a far pull that turns round after minutes one way is no reason to refuse", () => {
  const world = sourceMoves([
    { atS: 20, ns: 2e6 },
    { atS: 250, ns: -2e6 },
  ]);
  const apartUs = chase(world, 260, 480);
  console.log(`seed ${SEED}: domain time minus its source, us: ${apartUs.join(" ")}`);
  expect(apartUs[0]).toBeGreaterThan(1_500);
  expect(apartUs.at(-1)).toBeLessThan(100);
  expect(said(world, /DISRUPTED|refused|HOLDOVER/)).toEqual([]);
});
