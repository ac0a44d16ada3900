import { expect, test } from "vitest";
import { World } from "./world.ts";

/** Largest |true error| of steered hosts while `world` runs, and how often the bound failed. */
function watch(world: World, seconds: number) {
  let worstNs = 0;
  let outside = 0;
  let samples = 0;
  world.run(seconds, () => {
    for (const node of world.nodes) {
      const errorNs = world.trueErrorNs(node);
      if (errorNs === undefined || !node.alive) continue;
      const { offsetNs, boundNs } = world.standing(node);
      if (offsetNs === undefined) continue;
      samples++;
      if (Math.abs(errorNs) > boundNs) outside++;
      if (!node.reference) worstNs = Math.max(worstNs, Math.abs(errorNs));
    }
  });
  return { worstNs, outside, samples };
}

const states = (world: World) => world.nodes.map((n) => world.standing(n).verdict.state);

test.each([1, 2, 3])(
  "five hosts lock within 15 s and stay within their bounds (seed %i)",
  (seed) => {
    const world = new World({ seed });
    const start = watch(world, 15);
    expect(states(world)).toEqual(Array(5).fill("LOCKED"));
    const steady = watch(world, 20);
    console.log(`seed ${seed}: worst true error once locked ${steady.worstNs.toFixed(0)} ns`);
    expect(start.outside + steady.outside).toBe(0);
    expect(steady.samples).toBeGreaterThan(1_000);
    expect(steady.worstNs).toBeLessThan(500);
  },
);

test("one seed gives one course of events", () => {
  const run = () => {
    const world = new World({ seed: 9 });
    world.run(12);
    return [world.log.join("\n"), world.nodes.map((n) => world.trueErrorNs(n))];
  };
  expect(run()).toEqual(run());
});

test("a round is solved once, also when a host reports late or not at all", () => {
  const world = new World({ seed: 8 });
  world.run(15);
  world.killAgent(world.nodes[4]);
  world.startAgent(world.nodes[4]);
  const round = () => world.nodes[1].core.keeper.round;
  const before = round();
  world.run(20);
  expect(Number(round() - before)).toBeGreaterThanOrEqual(39);
  expect(Number(round() - before)).toBeLessThanOrEqual(41);
});

test("two hosts wait for a third, and their clocks stay untouched", () => {
  const world = new World({ hosts: 2 });
  const before = world.nodes.map((n) => n.host.systemAt(0) - n.host.rawAt(0));
  world.run(10);
  for (const node of world.nodes) {
    expect(world.standing(node).verdict.reason).toBe("waiting: 2 of 3 hosts");
  }
  expect(world.nodes.map((n) => n.host.systemAt(0) - n.host.rawAt(0))).toEqual(before);
});

test("a server whose clock is years off changes nothing: rounds go on with domain time", () => {
  const world = new World({ serverErrorNs: -1e18 });
  watch(world, 15);
  expect(states(world)).toEqual(Array(5).fill("LOCKED"));
  expect(watch(world, 10).worstNs).toBeLessThan(500);
});

test("without a coordinator everybody holds over, with a bound that grows and holds", () => {
  const world = new World({ seed: 4 });
  world.run(20);
  const bound = () => world.standing(world.nodes[2]).boundNs;
  const before = bound();
  world.killServer();
  const held = watch(world, 60);
  expect(new Set(states(world))).toEqual(new Set(["HOLDOVER"]));
  expect(world.standing(world.nodes[1]).verdict.reason).toContain("no connection");
  expect(bound()).toBeGreaterThan(before + 1_000);
  expect(held.outside).toBe(0);
  expect(held.worstNs).toBeLessThan(10_000);
});

test("a new coordinator carries domain time on where the agents hold it, without a step", () => {
  const world = new World({ seed: 5 });
  world.run(20);
  world.killServer();
  world.run(5);
  world.startServer();
  const after = watch(world, 15);
  expect(states(world)).toEqual(Array(5).fill("LOCKED"));
  expect(world.log.join("\n")).toContain("domain time goes on from the line that h1 holds");
  expect(after.outside).toBe(0);
  expect(after.worstNs).toBeLessThan(1_000);
});

test("an agent that is killed and started again is LOCKED within 10 s; nobody else is disturbed", () => {
  const world = new World({ seed: 6 });
  world.run(20);
  const [, victim, ...others] = world.nodes;
  world.killAgent(victim);
  world.run(2);
  world.startAgent(victim);
  let left = 0;
  world.run(10, () => {
    for (const node of [world.nodes[0], ...others]) {
      if (world.standing(node).verdict.state !== "LOCKED") left++;
    }
  });
  expect(states(world)[1]).toBe("LOCKED");
  expect(left).toBe(0);
});

test("when the reference dies, the best standby leads on without a step", () => {
  const world = new World({ seed: 7 });
  world.run(20);
  const line = world.nodes[0].core.keeper.line!;
  world.killAgent(world.nodes[0]);
  world.run(12);
  expect(world.reference.host.id).not.toBe("h1");
  expect(world.log.join("\n")).toMatch(/reference is h\d/);
  // Domain time by the old line, on the old reference's clock, is still what the others keep.
  const oldRaw = world.nodes[0].host.rawAt(world.nowNs);
  for (const node of world.nodes.slice(1)) {
    const apartNs = Number(node.host.systemAt(world.nowNs) - line.at(oldRaw as never).unixNs);
    expect(Math.abs(apartNs)).toBeLessThan(2_000);
  }
});
