import { Prng } from "@ttcs/units";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DelayShape } from "./delay-shape.ts";

const FLOOR_NS = 10_000;

/** A shape that has learnt `count` delays, in tens as rounds bring them. */
function learnt(count: number, draw: () => number, shape = new DelayShape()): DelayShape {
  for (let i = 0; i < count; i += 10) {
    const delays = Float64Array.from({ length: 10 }, draw);
    if (!shape.isLaid) shape.lay(delays.slice().sort(), 10);
    for (const delay of delays) shape.add(delay);
    shape.refresh();
  }
  return shape;
}

test("density and quantiles are those of the delays it has seen", () => {
  const random = new Prng(1);
  const shape = learnt(20_000, () => FLOOR_NS + random.exponential(1_000));
  for (const q of [0.02, 0.1, 0.3]) {
    const trueNs = FLOOR_NS - 1_000 * Math.log(1 - q);
    expect(Math.abs(shape.quantileNs(q) - trueNs)).toBeLessThan(30);
    expect(shape.densityAt(trueNs) / ((1 - q) / 1_000)).toBeCloseTo(1, 0);
    expect(shape.weightBelow(trueNs) / shape.weight).toBeCloseTo(q, 2);
  }
  expect(shape.logBeyond((FLOOR_NS + 500 - shape.lowNs) / shape.binNs)).toBeCloseTo(-0.5, 1);
});

test("a density is nowhere zero, so that one stray probe decides nothing", () => {
  const random = new Prng(2);
  const shape = learnt(2_000, () => FLOOR_NS + 10 * random.normal());
  expect(Math.min(...shape.logDensity)).toBeGreaterThan(-13);
  const total = shape.logDensity.reduce((sum, log) => sum + Math.exp(log), 0);
  expect(Math.abs(total - 1)).toBeLessThan(0.15);
});

test("bins follow delays that become a hundred times as wide, and back", () => {
  const random = new Prng(3);
  const shape = learnt(2_000, () => FLOOR_NS + 10 * random.normal());
  const narrow = shape.binNs;
  shape.fade(0.01);
  learnt(3_000, () => FLOOR_NS + random.exponential(3_000), shape);
  expect(shape.binNs).toBeGreaterThan(5 * narrow);
  expect(shape.quantileNs(0.1)).toBeLessThan(FLOOR_NS + 500);
  shape.fade(0.001);
  learnt(3_000, () => FLOOR_NS + 10 * random.normal(), shape);
  expect(shape.binNs).toBeLessThan(3 * narrow);
});

test("a few stamps that are far too early do not make the bins run away", () => {
  const random = new Prng(4);
  const shape = learnt(6_000, () =>
    random.uniform() < 0.03 ? FLOOR_NS - 5_000 : FLOOR_NS + 10 * random.normal(),
  );
  expect(shape.binNs).toBeLessThan(20);
  expect(Math.abs(shape.quantileNs(0.5) - FLOOR_NS)).toBeLessThan(5);
});

test("a shape whose delays have all gone elsewhere begins anew", () => {
  const random = new Prng(5);
  const shape = learnt(300, () => FLOOR_NS + 10 * random.normal());
  learnt(600, () => 1e6 + 10 * random.normal(), shape);
  learnt(600, () => -1e6 + 10 * random.normal(), shape);
  expect(shape.quantileNs(0.5)).toBeLessThan(-9e5);
});

test("laying bins anew loses no weight, and weight rises with the delay", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 1, max: 1e4 }), (seed, wide) => {
      const random = new Prng(seed);
      const shape = learnt(100, () => FLOOR_NS + random.exponential(50));
      learnt(400, () => FLOOR_NS + random.exponential(wide), shape);
      let before = 0;
      for (let ns = FLOOR_NS - 200; ns < FLOOR_NS + 5 * wide; ns += wide / 7) {
        const below = shape.weightBelow(ns);
        expect(below).toBeGreaterThanOrEqual(before - 1e-6);
        before = below;
      }
      expect(before).toBeLessThanOrEqual(shape.weight + 1e-6);
      expect(shape.weight).toBe(500);
    }),
    { seed: 6, numRuns: 40 },
  );
});

test("densities drawn between the bins where they are found are those of the delays", () => {
  const random = new Prng(7);
  const shape = learnt(60_000, () => FLOOR_NS + random.exponential(1_000));
  const slope = shape.binNs / 1_000;
  for (let bin = 100; bin < 300; bin++) {
    const sinceNs = shape.lowNs + (bin + 0.5) * shape.binNs - FLOOR_NS;
    const log = Math.log(slope) - sinceNs / 1_000;
    expect(Math.abs(shape.logDensity[bin] - log)).toBeLessThan(0.25);
  }
  // Nowhere does a bin stand out from its neighbours as one that was left out would.
  for (let bin = 100; bin < 511; bin++) {
    const { logDensity } = shape;
    expect(Math.abs(logDensity[bin + 1] - logDensity[bin])).toBeLessThan(0.3);
  }
});

test("counts that fade for hours stay those of the last delays", () => {
  const random = new Prng(8);
  const shape = learnt(1_000, () => FLOOR_NS + random.exponential(1_000));
  for (let round = 0; round < 3_000; round++) {
    shape.fade(0.99);
    for (let i = 0; i < 20; i++) shape.add(FLOOR_NS + random.exponential(1_000));
    shape.refresh();
  }
  expect(shape.weight).toBeCloseTo(2_000, 0);
  expect(shape.effectiveCount).toBeGreaterThan(3_000);
  const median = FLOOR_NS + 1_000 * Math.LN2;
  expect(Math.abs(shape.quantileNs(0.5) - median)).toBeLessThan(60);
});

test("a twin's delays make a shape better, and one of another kind hardly worse", () => {
  const kinds = [
    (random: Prng) => FLOOR_NS + 30 * random.normal() + random.exponential(1_000),
    (random: Prng) => FLOOR_NS + 30 * random.normal() + random.exponential(100),
  ];
  const apartNs = 700;
  let errors = [0, 0, 0];
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Prng(seed);
    const truth = learnt(50_000, () => kinds[0](random));
    const twins = kinds.map((draw) => learnt(2_000, () => draw(random) - apartNs));
    const few = Float64Array.from({ length: 500 }, () => kinds[0](random));
    errors = errors.map((sum, i) => {
      const shape = new DelayShape();
      shape.lay(few.slice().sort(), few.length);
      for (const delay of few) shape.add(delay);
      shape.refresh(twins[i], apartNs);
      for (let ns = FLOOR_NS - 30; ns < FLOOR_NS + 150; ns += 10) {
        sum += Math.log(shape.densityAt(ns) / truth.densityAt(ns)) ** 2;
      }
      return sum;
    });
  }
  const [alike, other, alone] = errors.map(Math.sqrt);
  expect(alike).toBeLessThan(0.8 * alone);
  expect(other).toBeLessThan(1.15 * alone);
});
