import { Prng } from "@ttcs/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactResistances, sketchedResistances } from "./effective-resistance.ts";
import { LaplacianSolver } from "./laplacian.ts";

/** A random tree with chords, weights over two decades, host 0 grounded. */
function mesh(seed: number, hostCount: number, chordsPerHost: number, chain = false) {
  const random = new Prng(seed);
  const edges: [number, number][] = [];
  for (let i = 1; i < hostCount; i++) {
    edges.push([chain ? i - 1 : Math.floor(random.uniform() * i), i]);
  }
  for (let i = 0; i < chordsPerHost * hostCount; i++) {
    const a = Math.floor(random.uniform() * hostCount);
    const b = Math.floor(random.uniform() * hostCount);
    if (a !== b) edges.push([a, b]);
  }
  const graph = {
    hostCount,
    edgeCount: edges.length,
    from: Int32Array.from(edges, (e) => e[0]),
    to: Int32Array.from(edges, (e) => e[1]),
  };
  const free = new Float64Array(hostCount).fill(1);
  free[0] = 0;
  const solver = new LaplacianSolver(graph, free);
  for (let e = 0; e < edges.length; e++) solver.weights[e] = 10 ** random.between(-4, -2);
  return { graph, free, solver };
}

describe("sketchedResistances", () => {
  it("is seldom below the exact resistance, and never far", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 20, max: 120 }),
        fc.constantFrom(0, 0.5, 2, 8),
        fc.boolean(),
        (seed, hostCount, chords, chain) => {
          const { graph, free, solver } = mesh(seed, hostCount, chords, chain);
          const exact = exactResistances(solver, free);
          const found = sketchedResistances(graph, solver, free, 0);
          expect(found[0]).toBe(0);
          let below = 0;
          for (let i = 1; i < hostCount; i++) {
            const ratio = Math.sqrt(found[i] / exact[i]);
            expect(ratio).toBeGreaterThan(0.75);
            expect(ratio).toBeLessThan(2);
            if (ratio < 0.99) below++;
          }
          // Hosts of one mesh share the signs, so that in an unlucky one a branch is low together.
          expect(below / hostCount).toBeLessThan(0.6);
        },
      ),
      { seed: 105, numRuns: 60 },
    );
  });

  it("is near the exact sigma in a mesh of ten neighbours, and prints what it costs", () => {
    const { graph, free, solver } = mesh(7, 1000, 9);
    solver.weights.fill(1 / 400);
    let start = performance.now();
    const found = sketchedResistances(graph, solver, free, 0);
    const sketchMs = performance.now() - start;
    start = performance.now();
    const exact = exactResistances(solver, free);
    const exactMs = performance.now() - start;
    const ratios = [...found.keys()].slice(1).map((i) => Math.sqrt(found[i] / exact[i]));
    ratios.sort((a, b) => a - b);
    console.log(
      `resistance: 1000 hosts x ${graph.edgeCount} edges: sketch ${sketchMs.toFixed(0)} ms,`,
      `exact ${exactMs.toFixed(0)} ms; sigma over exact sigma ${ratios[0].toFixed(3)}`,
      `to ${ratios.at(-1)!.toFixed(3)}`,
    );
    expect(ratios[0]).toBeGreaterThan(0.98);
    expect(ratios.at(-1)).toBeLessThan(1.1);
  });
});
