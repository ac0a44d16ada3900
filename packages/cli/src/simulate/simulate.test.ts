import { runToEnd, type Scenario, simScenarios } from "@ttcs/simulator";
import { expect, test } from "vitest";
import { chooseScenarios, parseSeeds } from "./choose.ts";
import { headText, lineText } from "./columns.ts";
import { paperText, ratiosText } from "./paper-text.ts";
import { replayCommand } from "./replay-command.ts";

const names = (words: readonly string[]) => {
  const chosen = chooseScenarios(words, simScenarios);
  return "unknown" in chosen ? chosen : chosen.map((s: Scenario) => s.name);
};

test("scenarios are chosen by name in any case, by number with or without zeros, by a range of numbers, or all", () => {
  expect(names(["s1", "001", "407"])).toEqual(["S1", "quiet-lan", "coordinator"]);
  expect(names([])).toHaveLength(simScenarios.length);
  expect(names(["441-442", "S1"])).toEqual(["regions", "regions-congested", "S1"]);
  expect(names(["600-700"])).toEqual({ unknown: "600-700" });
  expect(names(["S1", "nonsense"])).toEqual({ unknown: "nonsense" });
  expect(names(["0x1"])).toEqual({ unknown: "0x1" });
});

test("a range of seeds is two whole numbers, the second not the smaller one", () => {
  expect(parseSeeds("3-5")).toEqual([3, 4, 5]);
  expect(parseSeeds("7-7")).toEqual([7]);
  for (const text of ["5-3", "3", "a-b", "-1-2", "1-99999", "4294967295-4294967296", ""]) {
    expect(parseSeeds(text)).toBeUndefined();
  }
});

test("lines fit below their head, and a narrow line fits 80 columns", () => {
  const scenario = simScenarios.find((s) => s.name === "temperature-strong")!;
  const result = runToEnd(scenario, { hosts: 3, seconds: 12, pairsPerSecond: 10, seed: 4294967 });
  const run = { result, tookS: 2 };
  expect(lineText(run, 200)).toHaveLength(headText(200).length);
  expect(lineText(run, 200)).toContain(result.figures.hash);
  const [narrow, below] = lineText(run, 80).split("\n");
  expect(narrow.length).toBeLessThanOrEqual(80);
  expect(headText(80).length).toBeLessThanOrEqual(80);
  expect(below).toContain(result.figures.hash);
});

test("the command that repeats a run names its seed and all that was changed", () => {
  const scenario = simScenarios[0];
  const result = runToEnd(scenario, { hosts: 3, seconds: 2, seed: 9 });
  expect(replayCommand(result, {})).toBe("ttcs simulate quiet-lan --seed 9");
  expect(
    replayCommand(result, { seconds: 2, hosts: 3, neighbours: 4, pairsPerSecond: 20, light: true }),
  ).toBe(
    "ttcs simulate quiet-lan --seed 9 --seconds 2 --hosts 3 --neighbours 4 --pairs-per-second 20 --light",
  );
});

test("the paper's method stands beside ours with the ratio of both", () => {
  const of = (p50: number, p99: number) => ({ p50, p90: p99, p99, max: p99 });
  expect(paperText(of(10, 40), of(20, 400))).toBe(
    "across regions: p50 10.0 ns, p99 40.0 ns; the paper's method p50 20.0 ns, p99 400 ns; p99 ratio 0.10",
  );
  const scenario = simScenarios.find((s) => s.name === "regions")!;
  const result = runToEnd(scenario, { hosts: 9, seconds: 2 });
  const run = (ours: number, paper: number) => ({
    result: { ...result, figures: { ...result.figures, acrossNs: of(1, ours) } },
    tookS: 1,
    paper: of(1, paper),
  });
  expect(ratiosText([run(30, 100), run(40, 100), run(20, 100)])).toContain(
    "median 0.30, worst 0.40",
  );
  expect(ratiosText([{ result, tookS: 1 }])).toBeUndefined();
});
