import { expect, test } from "vitest";
import { dealGateways, GATEWAYS_EACH } from "./gateways.ts";
import { type Edge, pairKey } from "./mesh.ts";

const region = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
const regionOf = (host: number) => Math.floor(host / 100);
const keys = (edges: readonly Edge[]) => edges.map(({ a, b }) => pairKey(a, b)).sort();

test("two regions are tied by edges between distinct hosts, the best first", () => {
  const edges = dealGateways([region(100, 20), region(200, 4)], []);
  expect(keys(edges)).toEqual(["100-200", "101-201", "102-202", "103-203"]);
  expect(dealGateways([region(100, 20), region(200, 30)], [])).toHaveLength(GATEWAYS_EACH);
});

test("both sides own about as many edges", () => {
  const owned = dealGateways([region(100, 9), region(200, 9)], []).filter((e) => e.owner < 200);
  expect(owned).toHaveLength(GATEWAYS_EACH / 2);
});

test("an edge stays while its ends do, whatever their rank", () => {
  const before = dealGateways([region(100, 9), region(200, 9)], []);
  const after = dealGateways([region(100, 9).reverse(), region(200, 9).reverse()], before);
  expect(keys(after)).toEqual(keys(before));
  const without = region(200, 9).filter((host) => host !== 202);
  const left = dealGateways([region(100, 9), without], before);
  expect(left).toHaveLength(GATEWAYS_EACH);
  expect(keys(left).filter((key) => keys(before).includes(key))).toHaveLength(GATEWAYS_EACH - 1);
});

test("of many regions each is tied to the leading one and to another, so that none hangs on one tie", () => {
  const regions = Array.from({ length: 9 }, (_, r) => region(100 * (r + 1), 5));
  const edges = dealGateways(regions, []);
  const tied = new Set(edges.map(({ a, b }) => pairKey(regionOf(a), regionOf(b))));
  expect(tied.size).toBeLessThan(36);
  for (let r = 2; r <= 9; r++) {
    expect(tied.has(pairKey(1, r))).toBe(true);
    const others = [...tied].filter((t) => t.split("-").includes(`${r}`));
    expect(others.length).toBeGreaterThanOrEqual(3);
  }
});
