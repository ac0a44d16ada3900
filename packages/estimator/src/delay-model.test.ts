import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { DelayModel } from "./delay-model.ts";

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
