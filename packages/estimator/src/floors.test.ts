import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { DelayModel, newDelays, sortDelays } from "./delay-model.ts";
import { Floors } from "./floors.ts";

const course = { midNs: 0, offsetNs: 0, slope: 0, bend: 0 };

/** A model of delays that come in pairs, from a draw of single ones. */
function model(count: number, draw: () => number): DelayModel {
  const probe = Float64Array.from({ length: count }, (_, i) => i);
  const txNs = Float64Array.from(probe, (i) => i * 1e6);
  const rxNs = txNs.map((tx) => tx + draw());
  const sorted = newDelays();
  const made = new DelayModel();
  const columns = { length: count, probe, txNs, rxNs };
  sortDelays(columns, txNs, -1, course, 1, 0, sorted);
  made.setEpsilon(sorted);
  sortDelays(columns, txNs, -1, course, 1, made.epsilonNs, sorted);
  made.learn(sorted, 1e9);
  return made;
}

test("the floors' difference is found, and its sigma says how well", () => {
  const found: number[] = [];
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Prng(seed);
    const there = model(4_000, () => 10_300 + random.exponential(1_000));
    const back = model(4_000, () => 10_000 + random.exponential(1_000));
    const { shiftNs, sigmaNs } = new Floors().between(there, back);
    found.push((shiftNs - 150) / sigmaNs);
  }
  const rms = Math.sqrt(found.reduce((sum, z) => sum + z * z, 0) / found.length);
  console.log(`floors: error over sigma ${rms.toFixed(2)} in 40 draws (seeds 1 to 40)`);
  expect(rms).toBeGreaterThan(0.4);
  expect(rms).toBeLessThan(1.7);
});

test("a share of early stamps in both directions moves the floor by nanoseconds only", () => {
  const random = new Prng(7);
  const early = () =>
    10_000 + 6 * random.normal() - (random.uniform() < 0.08 ? random.between(50, 500) : 0);
  const { shiftNs, sigmaNs } = new Floors().between(model(4_000, early), model(4_000, early));
  expect(Math.abs(shiftNs)).toBeLessThan(3);
  expect(sigmaNs).toBeLessThan(3);
});

test("pure pairs and torn ones are told apart, and of a torn pair the faster probe counts", () => {
  const txNs = Float64Array.of(0, 10, 1_000, 1_010, 2_000, 2_010, 3_010);
  const delays = [500, 503, 500, 900, 800, 510, 505];
  const rxNs = txNs.map((tx, i) => tx + delays[i]);
  const probe = Float64Array.of(0, 1, 2, 3, 4, 5, 7);
  const sorted = newDelays();
  sortDelays({ length: 7, probe, txNs, rxNs }, txNs, -1, course, 1, 5, sorted);
  expect([...sorted.pure.ns.subarray(0, sorted.pure.length)]).toEqual([500, 503]);
  expect([...sorted.rest.ns.subarray(0, sorted.rest.length)]).toEqual([500, 510, 505]);
  sortDelays({ length: 7, probe, txNs, rxNs }, txNs, 4, course, 1, 5, sorted);
  expect([...sorted.rest.ns.subarray(0, sorted.rest.length)]).toEqual([510, 505]);
});

test("a quantile of two kinds is that of all delays together", () => {
  const random = new Prng(9);
  const all: number[] = [];
  const made = model(6_000, () => {
    const ns = 10_000 + (random.uniform() < 0.5 ? 10 * random.normal() : random.exponential(2_000));
    all.push(ns);
    return ns;
  });
  const heldBack = made.pure.weight + made.rest.weight;
  expect(made.pure.weight).toBeGreaterThan(500);
  expect(made.rest.weight).toBeGreaterThan(500);
  const q = made.quantileNs(0.2);
  const below = made.pure.weightBelow(q) + made.rest.weightBelow(q);
  expect(below / heldBack).toBeCloseTo(0.2, 3);
});
