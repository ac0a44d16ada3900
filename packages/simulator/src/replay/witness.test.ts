import { expect, test } from "vitest";
import { Witness } from "./witness.ts";

test("the two probes of a pair prove nothing, whatever their stamps", () => {
  const witness = new Witness();
  witness.saw(1, 7, 5e9, 1_000);
  witness.saw(1, 7, 5e9 + 10_000, 9e9);
  expect(witness.provedNs).toBe(-Infinity);
});

test("a second edge proves, and so does another pair 1 ms later", () => {
  const witness = new Witness();
  witness.saw(1, 7, 1_000, 1_000);
  witness.saw(1, 8, 2_000, 900_000);
  expect(witness.provedNs).toBe(-Infinity);
  witness.saw(1, 8, 1_200_000, 1_001_000);
  expect(witness.provedNs).toBe(1_000);
  witness.saw(2, 0, 3_000_000, 5);
  expect(witness.provedNs).toBe(1_200_000);
  witness.forget();
  witness.saw(2, 1, 9_000_000, 9_000_000);
  expect(witness.provedNs).toBe(-Infinity);
});
