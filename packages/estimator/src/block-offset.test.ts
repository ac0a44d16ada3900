import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { blockOffset, type Part } from "./block-offset.ts";
import { DelayShape } from "./delay-shape.ts";

const FLOOR_NS = 10_000;
/** Four hops, each busy two times in five, and stamps off by 14 ns. */
function loaded(random: Prng): number {
  let ns = FLOOR_NS + 14 * random.normal();
  for (let hop = 0; hop < 4; hop++) {
    if (random.uniform() < 0.4) ns += 12_500 * random.exponential(1) * random.exponential(1);
  }
  return ns;
}

function shapeOf(random: Prng, draw: (random: Prng) => number, count = 6_000): DelayShape {
  const shape = new DelayShape();
  const delays = Float64Array.from({ length: count }, () => draw(random));
  shape.lay(delays.slice().sort(), delays.length);
  for (const delay of delays) shape.add(delay);
  shape.refresh();
  return shape;
}

const delaysOf = (ns: number[]) => ({ length: ns.length, ns: Float64Array.from(ns) });

/** Blocks of 100 delays a direction with the course off by `offNs` of the prior's sigma. */
function blocks(count: number, priorSigmaNs: number, seed: number) {
  const random = new Prng(seed);
  const shapes = [shapeOf(random, loaded), shapeOf(random, loaded)];
  const out: { offNs: number; seen: { offsetNs: number; sigmaNs: number }; halfNs: number }[] = [];
  for (let i = 0; i < count; i++) {
    const offNs = priorSigmaNs * random.normal();
    const there = Array.from({ length: 100 }, () => loaded(random) + offNs);
    const back = Array.from({ length: 100 }, () => loaded(random) - offNs);
    const parts: Part[] = [
      { delays: delaysOf(there), shape: shapes[0], sign: -1 },
      { delays: delaysOf(back), shape: shapes[1], sign: 1 },
    ];
    const fifth = (all: number[]) => all.sort((a, b) => a - b)[4];
    const halfNs = (fifth(there) - fifth(back)) / 2;
    out.push({ offNs, seen: blockOffset(parts, priorSigmaNs), halfNs });
  }
  return out;
}

const rms = (values: number[]) =>
  Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

test("a block's likelihood finds the offset better than low quantiles, and tells its sigma", () => {
  const seen = blocks(400, 20, 1);
  const errorNs = rms(seen.map(({ seen: s, offNs }) => s.offsetNs - offNs));
  const quantileNs = rms(seen.map(({ halfNs, offNs }) => halfNs - offNs));
  const calibration = rms(seen.map(({ seen: s, offNs }) => (s.offsetNs - offNs) / s.sigmaNs));
  console.log(
    `block of 2 x 100: ${errorNs.toFixed(1)} ns rms, 5 % quantiles ${quantileNs.toFixed(1)} ns,`,
    `error over sigma ${calibration.toFixed(2)} (seed 1)`,
  );
  expect(errorNs).toBeLessThan(0.6 * quantileNs);
  expect(calibration).toBeGreaterThan(0.75);
  expect(calibration).toBeLessThan(1.4);
});

test("what a block says hardly hangs on the prior that it was set against", () => {
  const [wide, narrow] = [blocks(100, 60, 2), blocks(100, 10, 2)];
  const errors = (of: typeof wide) => rms(of.map(({ seen: s, offNs }) => s.offsetNs - offNs));
  expect(errors(wide)).toBeLessThan(2.5 * errors(narrow));
});

test("no probes tell nothing", () => {
  const shape = shapeOf(new Prng(3), loaded);
  const none = delaysOf([]);
  const { offsetNs, sigmaNs } = blockOffset(
    [
      { delays: none, shape, sign: -1 },
      { delays: none, shape, sign: 1 },
    ],
    20,
  );
  expect(Math.abs(offsetNs)).toBeLessThan(1);
  expect(sigmaNs).toBeGreaterThan(100);
});

test("directions that contradict each other move nothing far", () => {
  const random = new Prng(4);
  const shape = shapeOf(random, (r) => FLOOR_NS + 14 * r.normal());
  const there = delaysOf([FLOOR_NS - 60, FLOOR_NS - 62]);
  const back = delaysOf([FLOOR_NS - 60, FLOOR_NS - 62]);
  const { offsetNs, sigmaNs } = blockOffset(
    [
      { delays: there, shape, sign: -1 },
      { delays: back, shape, sign: 1 },
    ],
    20,
  );
  expect(Math.abs(offsetNs)).toBeLessThanOrEqual(5 * Math.hypot(sigmaNs, 20));
});

test("one stray stamp among a hundred moves a block by less than its sigma", () => {
  const random = new Prng(5);
  const shape = shapeOf(random, loaded);
  const there = Array.from({ length: 100 }, () => loaded(random));
  const back = Array.from({ length: 100 }, () => loaded(random));
  const measure = (delays: number[]) =>
    blockOffset(
      [
        { delays: delaysOf(delays), shape, sign: -1 },
        { delays: delaysOf(back), shape, sign: 1 },
      ],
      10,
    );
  const clean = measure(there);
  const struck = measure([...there, FLOOR_NS - 400]);
  expect(Math.abs(struck.offsetNs - clean.offsetNs)).toBeLessThan(clean.sigmaNs);
});

test("a few delays find the offset within a prior ten times as wide as their floor", () => {
  const random = new Prng(4);
  const steep = (r: Prng) =>
    FLOOR_NS + 6 * r.normal() + (r.uniform() < 0.4 ? r.exponential(3_000) : 0);
  const shapes = [shapeOf(random, steep), shapeOf(random, steep)];
  const errors = Array.from({ length: 300 }, () => {
    const offNs = 60 * random.normal();
    const parts: Part[] = [1, -1].map((side, i) => ({
      delays: delaysOf(Array.from({ length: 5 }, () => steep(random) + side * offNs)),
      shape: shapes[i],
      sign: side > 0 ? -1 : 1,
    }));
    return blockOffset(parts, 60).offsetNs - offNs;
  });
  const errorNs = rms(errors);
  console.log(`block of 2 x 5 within 60 ns: ${errorNs.toFixed(1)} ns rms (seed 4)`);
  expect(errorNs).toBeLessThan(6);
});

test("shapes that have seen few delays do not claim more than they know", () => {
  const random = new Prng(6);
  const ratios: number[] = [];
  for (let i = 0; i < 300; i++) {
    const [ahead, behind] = [shapeOf(random, loaded, 60), shapeOf(random, loaded, 60)];
    const there = delaysOf(Array.from({ length: 20 }, () => loaded(random)));
    const back = delaysOf(Array.from({ length: 20 }, () => loaded(random)));
    const { offsetNs, sigmaNs } = blockOffset(
      [
        { delays: there, shape: ahead, sign: -1 },
        { delays: back, shape: behind, sign: 1 },
      ],
      40,
    );
    ratios.push(offsetNs / sigmaNs);
  }
  console.log(`shapes of 60 delays: error over sigma ${rms(ratios).toFixed(2)} (seed 6)`);
  expect(rms(ratios)).toBeLessThan(1.3);
});
