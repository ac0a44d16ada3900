import fc from "fast-check";
import { expect, test } from "vitest";
import { anchorCount, dealMesh, type Edge, FULL_MESH_BELOW, pairKey } from "./mesh.ts";

const hosts = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

const degrees = (edges: readonly Edge[]) => {
  const degree = new Map<number, number>();
  for (const e of edges) for (const h of [e.a, e.b]) degree.set(h, (degree.get(h) ?? 0) + 1);
  return degree;
};

const isConnected = (edges: readonly Edge[], count: number) => {
  const seen = new Set([1]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { a, b } of edges) {
      if (seen.has(a) === seen.has(b)) continue;
      seen.add(a).add(b);
      grown = true;
    }
  }
  return seen.size === count;
};

test("up to eleven hosts everybody probes everybody", () => {
  for (let n = 2; n < FULL_MESH_BELOW; n++) {
    expect(dealMesh(hosts(n), 1, [])).toHaveLength((n * (n - 1)) / 2);
  }
});

test("larger meshes are connected, have no double edge, and give everybody enough neighbours", () => {
  fc.assert(
    fc.property(fc.integer({ min: 12, max: 150 }), fc.nat(), (n, seed) => {
      const edges = dealMesh(hosts(n), seed, []);
      expect(isConnected(edges, n)).toBe(true);
      expect(new Set(edges.map((e) => pairKey(e.a, e.b))).size).toBe(edges.length);
      const degree = degrees(edges);
      for (const h of hosts(n)) expect(degree.get(h)).toBeGreaterThanOrEqual(Math.min(6, n - 1));
      for (const e of edges) expect([e.a, e.b]).toContain(e.owner);
    }),
    { seed: 3, numRuns: 40 },
  );
});

test("every host has four anchors among its neighbours", () => {
  const edges = dealMesh(hosts(100), 5, []);
  const anchors = new Set(hosts(anchorCount(100)));
  for (const h of hosts(100)) {
    const mine = edges.filter((e) => e.a === h || e.b === h);
    const count = mine.filter((e) => anchors.has(e.a === h ? e.b : e.a)).length;
    expect(count).toBeGreaterThanOrEqual(4);
  }
});

test("a thousand hosts do not overload an anchor by more than the ring", () => {
  const degree = degrees(dealMesh(hosts(1000), 5, []));
  expect(Math.max(...degree.values())).toBeLessThanOrEqual(66);
});

test("owners are balanced, and stay where the edge stays", () => {
  const before = dealMesh(hosts(8), 1, []);
  const owned = hosts(8).map((h) => before.filter((e) => e.owner === h).length);
  expect(Math.max(...owned) - Math.min(...owned)).toBeLessThanOrEqual(2);
  const after = dealMesh(hosts(9), 1, before);
  const kept = new Map(after.map((e) => [pairKey(e.a, e.b), e.owner]));
  for (const e of before) expect(kept.get(pairKey(e.a, e.b))).toBe(e.owner);
});

test("a host that joins changes few edges of the others", () => {
  const before = new Set(dealMesh(hosts(100), 1, []).map((e) => pairKey(e.a, e.b)));
  const after = dealMesh(hosts(101), 1, []);
  const fresh = after.filter((e) => !before.has(pairKey(e.a, e.b)) && e.a !== 101 && e.b !== 101);
  expect(fresh.length).toBeLessThan(before.size / 5);
});
