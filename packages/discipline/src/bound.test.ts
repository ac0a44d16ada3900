import fc from "fast-check";
import { expect, test } from "vitest";
import { bentNs, followingBentNs, grownBoundNs, grownSigmaNs } from "./bound.ts";

test("a bound is what was solved at age zero, and covers 10 us of a drifting crystal in a minute", () => {
  expect(grownBoundNs(700, 5, 0)).toBe(700);
  // A crystal that changes by 5 ppb/s for a minute is off by 9 us.
  expect(grownBoundNs(700, 5, 60)).toBeGreaterThan(0.5 * 5 * 60 * 60 + 700);
});

test("a bound never shrinks with age, and never falls below sigma", () => {
  const ns = fc.double({ min: 0, max: 1e6, noNaN: true });
  const ageS = fc.double({ min: 0, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(ns, ns, ageS, ageS, (boundNs, freqSigmaPpb, age, more) => {
      const early = grownBoundNs(boundNs, freqSigmaPpb, age);
      expect(grownBoundNs(boundNs, freqSigmaPpb, age + more)).toBeGreaterThanOrEqual(early);
      const sigmaNs = grownSigmaNs(boundNs, freqSigmaPpb, 100, age);
      expect(sigmaNs).toBeLessThanOrEqual(early * 1.0001 + 1e-9);
    }),
    { seed: 7 },
  );
});

test("domain time cannot have left an announced line before its announcement ended", () => {
  expect(bentNs(-1)).toBe(0);
  // 25 ppb a round: 0, 25, 50 ... ppb for half a second each, and half a step to spare.
  expect(bentNs(2)).toBe(125);
});

test("the line of a region that follows may bend four times as fast", () => {
  expect(followingBentNs(-1)).toBe(0);
  expect(followingBentNs(2)).toBe(500);
});
