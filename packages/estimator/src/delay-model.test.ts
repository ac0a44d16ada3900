import { Prng } from "@ttcs/units";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DelayModel, newDelays } from "./delay-model.ts";

const FLOOR_NS = 10_000;

const delays = (ns: number[]) => ({
  pure: { length: ns.length, ns: Float64Array.from(ns) },
  rest: { length: 0, ns: new Float64Array(0) },
});

test("of few probes one early stamp is a stray, and more of them are a clock that moved", () => {
  const random = new Prng(1);
  const model = new DelayModel();
  const draw = (count: number, movedNs = 0) =>
    Array.from({ length: count }, () => FLOOR_NS + movedNs + 6 * random.normal());
  model.learn(delays(draw(2_000)), 6_000);
  expect(model.earlyShare(delays([...draw(4), FLOOR_NS - 200]), 0)).toBe(0);
  expect(model.earlyShare(delays(draw(5, -200)), 0)).toBeGreaterThan(0.5);
  expect(model.earlyShare(delays(draw(5, -200)), 200)).toBe(0);
});

/** A model whose pure delays lie about `pureNs` and the others about `restNs`. */
function modelOf(random: Prng, pureNs: number, restNs: number): DelayModel {
  const delays = newDelays();
  const column = (count: number, draw: () => number) => ({
    length: count,
    ns: Float64Array.from({ length: count }, draw),
  });
  const model = new DelayModel();
  Object.assign(
    delays.pure,
    column(400, () => 10_000 + pureNs * random.uniform()),
  );
  Object.assign(
    delays.rest,
    column(300, () => 10_000 + random.exponential(restNs)),
  );
  model.learn(delays, 6_000);
  return model;
}

test("a quantile of both kinds has its share of the weight below it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 5, max: 5_000, noNaN: true }),
      fc.double({ min: 5, max: 5_000, noNaN: true }),
      fc.double({ min: 0.005, max: 0.5, noNaN: true }),
      (seed, pureNs, restNs, q) => {
        const model = modelOf(new Prng(seed), pureNs, restNs);
        const { pure, rest } = model;
        const fineNs = 2e-3 * Math.min(pure.binNs, rest.binNs);
        const atNs = model.quantileNs(q);
        const shareAt = (ns: number) =>
          (pure.weightBelow(ns) + rest.weightBelow(ns)) / (pure.weight + rest.weight);
        expect(shareAt(atNs - fineNs)).toBeLessThanOrEqual(q + 1e-6);
        expect(shareAt(atNs + fineNs)).toBeGreaterThanOrEqual(q - 1e-6);
      },
    ),
    { seed: 9, numRuns: 200 },
  );
});
