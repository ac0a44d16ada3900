import { Prng } from "@ttcs/units";
import { expect, it } from "vitest";
import { PathFinder } from "./shortest-path.ts";

function randomGraph(seed: number, hostCount: number, edgeCount: number) {
  const random = new Prng(seed);
  const host = () => Math.floor(random.uniform() * hostCount);
  const from = Int32Array.from({ length: edgeCount }, host);
  const to = Int32Array.from({ length: edgeCount }, host);
  const lengths = Float64Array.from({ length: edgeCount }, () => {
    const kind = random.uniform();
    return kind < 0.05 ? Number.NaN : kind < 0.1 ? -1 : Math.floor(random.between(0, 20));
  });
  return { graph: { hostCount, edgeCount, from, to }, lengths };
}

it("finds the lengths that relaxing all edges again and again finds, with one finder for many roots", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { graph, lengths } = randomGraph(seed, 30, 60);
    const finder = new PathFinder(graph);
    for (let root = 0; root < 30; root += 7) {
      const expected = Array(30).fill(Number.POSITIVE_INFINITY);
      expected[root] = 0;
      for (let sweep = 0; sweep < 30; sweep++) {
        for (let e = 0; e < 60; e++) {
          if (!(lengths[e] >= 0)) continue;
          const [a, b] = [graph.from[e], graph.to[e]];
          expected[a] = Math.min(expected[a], expected[b] + lengths[e]);
          expected[b] = Math.min(expected[b], expected[a] + lengths[e]);
        }
      }
      const { length, lastEdge, order } = finder.find(lengths, root);
      expect([...length]).toEqual(expected);
      expect([...order].sort((a, b) => a - b)).toEqual(
        [...expected.keys()].filter((h) => expected[h] < Number.POSITIVE_INFINITY),
      );
      for (const host of order) {
        if (host === root) continue;
        const e = lastEdge[host];
        const before = graph.from[e] === host ? graph.to[e] : graph.from[e];
        expect(length[before] + lengths[e]).toBe(length[host]);
      }
    }
  }
});

it("tells hosts in order of their distance, the root first", () => {
  const { graph, lengths } = randomGraph(77, 200, 800);
  const { length, order } = new PathFinder(graph).find(lengths, 5);
  expect(order[0]).toBe(5);
  for (let i = 1; i < order.length; i++) {
    expect(length[order[i]]).toBeGreaterThanOrEqual(length[order[i - 1]]);
  }
});

it("moves hosts in its heap about as often as there are hosts, times a logarithm", () => {
  const moves = [1000, 10_000].map((hostCount) => {
    const { graph, lengths } = randomGraph(3, hostCount, 5 * hostCount);
    const finder = new PathFinder(graph);
    finder.find(lengths, 0);
    return finder.moveCount;
  });
  expect(moves[1] / moves[0]).toBeLessThan(10 ** 1.15);
});
