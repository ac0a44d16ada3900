import fc from "fast-check";
import { expect, it } from "vitest";
import { medianOf, selectKth } from "./quantile.ts";

it("selects what a full sort would", () => {
  const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 80 }), fc.nat(), (values, at) => {
      const k = at % values.length;
      const sorted = Float64Array.from(values).sort();
      expect(selectKth(Float64Array.from(values), values.length, k) - sorted[k] || 0).toBe(0);
    }),
    { seed: 11, numRuns: 500 },
  );
});

it("takes the upper median, and zero of nothing", () => {
  expect(medianOf(Float64Array.of(4, 1, 3, 2), 4)).toBe(3);
  expect(medianOf(new Float64Array(4), 0)).toBe(0);
});
