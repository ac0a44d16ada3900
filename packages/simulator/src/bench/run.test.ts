import { expect, test } from "vitest";
import { type Contestant, runWorld, type SeedRun } from "./run.ts";
import { coverageOf, sizesOf, spreadOf } from "./score.ts";
import { benchWorlds, makeWorld } from "./worlds.ts";

function run(name: string, seed: number, seconds: number, contestants: readonly Contestant[]) {
  const bench = benchWorlds.find((world) => world.name === name)!;
  return runWorld(makeWorld(bench, { seed, seconds, hosts: 5 }), { contestants, shotAtS: 5 });
}
const p99Ns = ({ errors }: SeedRun, who: Contestant) => spreadOf(sizesOf([errors[who]!])).p99Ns;

test("names of worlds are unique", () => {
  expect(new Set(benchWorlds.map(({ name }) => name)).size).toBe(benchWorlds.length);
});

test("all contestants are judged at the same instants, on the same probes", () => {
  const done = run("load40", 3, 20, ["ours", "paper", "paperWide", "oracle"]);
  const ours = done.errors.ours!;
  expect(ours.atS.length).toBeGreaterThan(4 * 30);
  expect(done.errors.paper!.atS.at(-1)).toBeCloseTo(ours.atS.at(-1)!, 6);
  expect(done.errors.oracle!.atS.at(-1)).toBeCloseTo(ours.atS.at(-1)!, 6);
  expect(done.oracleShare).toBeGreaterThan(0.9);
  // Two seconds of both directions, near the line that was fitted.
  expect(done.shot!.upperS.length).toBeGreaterThan(300);
  expect(Math.min(...done.shot!.upperNs)).toBeGreaterThan(8_000);
  expect(Math.max(...done.shot!.lowerNs)).toBeLessThan(-8_000);
  expect(done.shot!.lines.map(({ name }) => name).sort()).toEqual([
    "oracle",
    "paper",
    "paperWide",
    "truth",
  ]);
});

test("the oracle is right to some ns, biased edges or not; it is not defined without clean probes", () => {
  expect(p99Ns(run("biased", 2, 20, ["oracle"]), "oracle")).toBeLessThan(25);
  expect(run("S1", 2, 8, ["oracle"]).oracleShare).toBe(0);
  // Ways inside a region meet nothing, those between regions always something.
  expect(run("S5", 2, 8, ["oracle"]).oracleShare).toBeLessThan(0.6);
});

test("the paper's windows follow one another: its frequency changes once in four rounds", () => {
  const { errors } = run("load40", 4, 20, ["paper"]);
  const { host, sigmaNs } = errors.paper!;
  const first = sigmaNs.filter((_, i) => host[i] === 1);
  // Sigma grows while a line is carried on, and falls when a new one comes.
  const fresh = first.flatMap((sigma, i) => (i > 0 && sigma < first[i - 1] ? [i] : []));
  for (let i = 1; i < fresh.length; i++) expect((fresh[i] - fresh[i - 1]) % 4).toBe(0);
  expect(fresh.length).toBeGreaterThan(3);
});

test.each([
  ["second-bursts", 0.5],
  ["second-swing", 0.2],
])("%s: ratios hold in worlds of another make, too", (name, ratio) => {
  const done = run(name, 1, 20, ["ours", "paper", "paperWide", "oracle"]);
  const paperNs = Math.min(p99Ns(done, "paper"), p99Ns(done, "paperWide"));
  const oursNs = p99Ns(done, "ours");
  console.log(`${name}, seed 1: ours ${oursNs.toFixed(1)}, paper ${paperNs.toFixed(1)} ns`);
  expect(oursNs / paperNs).toBeLessThan(ratio);
  expect(oursNs / p99Ns(done, "oracle")).toBeLessThan(3);
  expect(coverageOf([done.errors.ours!], false).outsideBound).toBe(0);
});
