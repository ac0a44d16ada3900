import { expect, test } from "vitest";
import { percentiles } from "./figures.ts";

test("percentiles are values of the set, by the nearest rank", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentiles(values)).toEqual({ p50: 51, p90: 91, p99: 100, max: 100 });
  expect(percentiles([7])).toEqual({ p50: 7, p90: 7, p99: 7, max: 7 });
});

test("an empty set has none", () => {
  expect(percentiles([])).toEqual({ p50: null, p90: null, p99: null, max: null });
});
