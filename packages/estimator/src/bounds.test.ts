import { Prng } from "@ttcs/units";
import { expect, it } from "vitest";
import { type BoundInput, boundAround, pathBounds, widenWhereExcluded } from "./bounds.ts";

type Row = readonly [from: number, to: number, offsetNs: number, below: number, above: number];

const boundsInput = (hostCount: number, rows: readonly Row[]): BoundInput => ({
  hostCount,
  edgeCount: rows.length,
  from: Int32Array.from(rows, (r) => r[0]),
  to: Int32Array.from(rows, (r) => r[1]),
  offsetNs: Float64Array.from(rows, (r) => r[2]),
  belowBoundNs: Float64Array.from(rows, (r) => r[3]),
  aboveBoundNs: Float64Array.from(rows, (r) => r[4]),
  reference: 0,
});

it("adds intervals along a path, turned round where an edge is walked backwards", () => {
  const { lowNs, highNs } = pathBounds(
    boundsInput(3, [
      [0, 1, 100, 10, 20],
      [2, 1, 30, 1, 2],
    ]),
  );
  expect([...lowNs]).toEqual([0, 90, 58]);
  expect([...highNs]).toEqual([0, 120, 91]);
});

it("takes the path with the smallest width", () => {
  const { lowNs, highNs } = pathBounds(
    boundsInput(3, [
      [0, 2, 5, 50, 50],
      [0, 1, 0, 10, 10],
      [1, 2, 0, 10, 10],
    ]),
  );
  expect([lowNs[2], highNs[2]]).toEqual([-20, 20]);
});

it("knows nothing of hosts that no usable edge reaches", () => {
  const { lowNs, highNs } = pathBounds(
    boundsInput(4, [
      [0, 1, 5, -1, 50],
      [0, 2, Number.NaN, 1, 50],
    ]),
  );
  expect([...lowNs]).toEqual([0, Number.NaN, Number.NaN, Number.NaN]);
  expect([...highNs]).toEqual([0, Number.NaN, Number.NaN, Number.NaN]);
});

it("tells the larger distance from a published value to either end", () => {
  expect(boundAround(10, -5, 20)).toBe(15);
  expect(boundAround(10, 0, 40)).toBe(30);
  expect(boundAround(50, 0, 40)).toBe(50);
});

it("holds the truth whenever every edge does", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Prng(seed);
    const truth = Array.from({ length: 20 }, (_, i) => (i === 0 ? 0 : random.between(-1e6, 1e6)));
    const rows: Row[] = [];
    for (let k = 0; k < 80; k++) {
      const from = Math.floor(random.uniform() * 20);
      const to = Math.floor(random.uniform() * 20);
      const error = random.between(-1000, 1000);
      const spare = random.between(0, 2000);
      const below = Math.max(0, error) + spare;
      rows.push([from, to, truth[to] - truth[from] + error, below, Math.max(0, -error) + spare]);
    }
    const { lowNs, highNs } = pathBounds(boundsInput(20, rows));
    truth.forEach((x, i) => {
      if (Number.isNaN(lowNs[i])) return;
      expect(lowNs[i]).toBeLessThanOrEqual(x + 1e-6);
      expect(highNs[i]).toBeGreaterThanOrEqual(x - 1e-6);
    });
  }
});

it("an edge that excludes what was solved for widens both of its ends, but never the reference", () => {
  const input = {
    hostCount: 3,
    edgeCount: 3,
    from: Int32Array.of(0, 0, 1),
    to: Int32Array.of(1, 2, 2),
    offsetNs: Float64Array.of(0, 0, 30),
    belowBoundNs: Float64Array.of(10, 10, 12),
    aboveBoundNs: Float64Array.of(10, 10, 12),
    reference: 0,
  };
  const bounds = pathBounds(input);
  widenWhereExcluded(input, Float64Array.of(0, 0, 0), bounds);
  expect([...bounds.lowNs]).toEqual([0, -42, -10]);
  expect([...bounds.highNs]).toEqual([0, 10, 42]);
  const unused = { ...input, belowBoundNs: Float64Array.of(10, 10, Number.NaN) };
  const without = pathBounds(unused);
  widenWhereExcluded(unused, Float64Array.of(0, 0, 50), without);
  expect([...without.lowNs, ...without.highNs].every(Number.isFinite)).toBe(true);
  const known = pathBounds(input);
  widenWhereExcluded(input, Float64Array.of(0, -10, 10), known);
  expect(known).toEqual(pathBounds(input));
});
