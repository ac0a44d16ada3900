import { benchWorlds, type Spread } from "@ttcs/simulator";
import { expect, test } from "vitest";
import { goalsOf } from "./goals.ts";
import type { WorldResult } from "./results.ts";
import { columns, goalsText } from "./table.ts";

const spread = (p99Ns: number): Spread => ({ count: 100, p50Ns: 1, p99Ns, maxNs: p99Ns });

function result(name: string, change: Partial<WorldResult> = {}): WorldResult {
  return {
    world: benchWorlds.find((world) => world.name === name)!,
    seeds: [1],
    seconds: 20,
    hosts: 3,
    degree: 2,
    packetsPerS: 1,
    spreads: { ours: spread(10), paper: spread(100), paperWide: spread(200), oracle: spread(6) },
    coverage: {
      windowCount: 1_000,
      curve: [],
      within1: 0.69,
      within2: 0.94,
      within3: 0.995,
      rowCount: 100,
      outsideBound: 0,
      sigmaNs: 1,
      boundNs: 1,
    },
    oracleShare: 1,
    anchors: undefined,
    curves: {},
    course: undefined,
    shot: undefined,
    costMs: {},
    ...change,
  };
}

const verdicts = (change: Partial<WorldResult>) =>
  goalsOf([result("load40", change)], []).map(({ group, holds }) => `${group} ${holds}`);

test("a world that holds everything", () => {
  expect(verdicts({})).toEqual(["paper true", "oracle true", "coverage true", "coverage true"]);
});

test("the paper is taken behind the filter that serves it better", () => {
  const spreads = { ours: spread(10), paper: spread(100), paperWide: spread(50) };
  expect(verdicts({ spreads })).toContain("paper false");
});

test("what was not measured is no success", () => {
  const spreads = { ours: { ...spread(Number.NaN), count: 0 }, paper: spread(100) };
  expect(verdicts({ spreads })).toContain("paper false");
});

test("a sigma that is too large is as wrong as one that is too small", () => {
  const { coverage } = result("load40");
  for (const within1 of [0.63, 0.73]) {
    expect(verdicts({ coverage: { ...coverage, within1 } })).toContain("coverage false");
  }
  expect(verdicts({ coverage: { ...coverage, outsideBound: 1 } })).toContain("coverage false");
});

test("of few windows sigma is not judged", () => {
  const coverage = { ...result("load40").coverage, windowCount: 999, within1: 0.1 };
  expect(verdicts({ coverage }).filter((text) => text.startsWith("coverage"))).toEqual([
    "coverage true",
  ]);
});

test("the second generator's goals are a group of their own", () => {
  expect(goalsOf([result("second-idle")], []).map(({ group }) => group)).toContain("second");
});

test("goals are told by group, and columns stand below each other", () => {
  expect(goalsText(goalsOf([result("load40")], []))).toMatch(
    /^yes {2}1\. against the paper.*1 of 1/,
  );
  expect(
    columns([
      ["a", "b"],
      ["long", "1"],
    ]),
  ).toBe("a     b\nlong  1\n");
});
