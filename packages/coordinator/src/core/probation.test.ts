import { expect, test } from "vitest";
import { Probation } from "./probation.ts";

const HOUR_MS = 3_600_000;

test("everybody proves itself for a minute; who loses again soon, for twice as long, up to an hour", () => {
  const probation = new Probation();
  expect(probation.proofMs("h1")).toBe(60_000);
  const times = Array.from({ length: 8 }, (_, i) => probation.lost("h1", i * 1_000) / 60_000);
  expect(times).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  expect(probation.proofMs("h2")).toBe(60_000);
});

test("after an hour of proven service the first time holds again", () => {
  const probation = new Probation();
  probation.lost("h1", 0);
  expect(probation.lost("h1", 60_000 + HOUR_MS)).toBe(120_000);
  expect(probation.lost("h1", 60_001 + HOUR_MS + 120_000 + HOUR_MS)).toBe(60_000);
});

test("probation ends with its time; a coordinator that starts anew begins it again", () => {
  const probation = new Probation();
  probation.lost("h1", 0);
  expect(probation.isOnProbation("h1", 59_999)).toBe(true);
  expect(probation.isOnProbation("h1", 60_000)).toBe(false);
  expect(probation.isOnProbation("h2", 0)).toBe(false);
  const next = new Probation();
  next.fromMemory(probation.toMemory(), 500);
  expect(next.isOnProbation("h1", 60_499)).toBe(true);
  expect(next.lost("h1", 61_000)).toBe(120_000);
});
