import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { binsFor } from "./delay-bins.ts";

test("a dozen delays lay bins about as wide as thousands do", () => {
  const random = new Prng(5);
  const binNs = (count: number) =>
    binsFor(Float64Array.from({ length: count }, () => random.exponential(1_000)).sort(), count)
      .binNs;
  const many = binNs(6_000);
  const few = Array.from({ length: 51 }, () => binNs(12)).sort((a, b) => a - b);
  expect(few[25] / many).toBeGreaterThan(0.5);
  expect(few[25] / many).toBeLessThan(3);
});
