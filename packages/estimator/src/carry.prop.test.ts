import { Prng } from "@ttcs/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Carry } from "./carry.ts";

/** Carried stamps, relative to the raw zero, of a fixed world moved to other zeros. */
function carried(rawZero: bigint, systemZero: bigint, seed: number): Float64Array {
  const random = new Prng(seed);
  const carry = new Carry();
  const n = 200;
  const t = {
    length: n,
    rawBeforeNs: new BigInt64Array(n),
    systemNs: new BigInt64Array(n),
    rawAfterNs: new BigInt64Array(n),
  };
  for (let i = 0; i < n; i++) {
    const at = i * 10_000_000;
    const width = Math.round(random.between(100, 300));
    t.rawBeforeNs[i] = rawZero + BigInt(at);
    t.rawAfterNs[i] = rawZero + BigInt(at + width);
    const inside = at + width * random.uniform();
    t.systemNs[i] = systemZero + BigInt(Math.floor(inside * (1 + 23e-6)));
  }
  carry.addTriples(t);
  const stamps = new BigInt64Array(50);
  for (let i = 0; i < 50; i++) stamps[i] = systemZero + BigInt(Math.round(random.between(0, 2e9)));
  const out = new Float64Array(50);
  expect(carry.toRaw(stamps, 50, rawZero, out)).toBe(50);
  return out;
}

it("does not care where the zeros of the two clocks lie", () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, 4_000_000_000_000_000_000n),
      fc.bigInt(0n, 4_000_000_000_000_000_000n),
      fc.integer(),
      (rawZero, systemZero, seed) => {
        expect(carried(rawZero, systemZero, seed)).toEqual(carried(0n, 0n, seed));
      },
    ),
    { seed: 42, numRuns: 50 },
  );
});

it("never throws on columns of arbitrary instants", () => {
  const instant = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
  const column = fc.array(instant, { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(column, column, column, instant, (before, system, after, at) => {
      const carry = new Carry();
      const t = {
        length: 6,
        rawBeforeNs: BigInt64Array.from(before),
        systemNs: BigInt64Array.from(system),
        rawAfterNs: BigInt64Array.from(after),
      };
      carry.addTriples(t);
      carry.breakAt(at, 100, 0);
      carry.addTriples(t);
      carry.toRaw(t.systemNs, 6, at, new Float64Array(6));
      carry.systemAt(at);
    }),
    { seed: 43, numRuns: 200 },
  );
});
