import { expect, test } from "vitest";
import { duration, signedDuration } from "./units-text.ts";

test.each([
  [0, "0.00 ns"],
  [512, "512 ns"],
  [999.4, "999 ns"],
  [999.6, "1.00 us"],
  [1_250, "1.25 us"],
  [12_345_678, "12.3 ms"],
  [3e9, "3.00 s"],
] as const)("%d ns reads %s", (ns, text) => {
  expect(duration(ns)).toBe(text);
});

test("the sign is kept, and unknown is not zero", () => {
  expect(signedDuration(-42)).toBe("-42.0 ns");
  expect(signedDuration(42)).toBe("+42.0 ns");
  expect(signedDuration(null)).toBe("-");
});
