import { Prng } from "@ttcs/units";
import { expect, it, test } from "vitest";
import { denseResistances } from "./dense-resistance.ts";
import { LaplacianSolver } from "./laplacian.ts";

it("solves a random mesh of a thousand hosts in a few dozen steps", () => {
  const random = new Prng(20260711);
  const hostCount = 1000;
  const edgeCount = 5 * hostCount;
  const from = Int32Array.from({ length: edgeCount }, (_, e) => e % hostCount);
  const to = Int32Array.from({ length: edgeCount }, (_, e) => {
    return e < hostCount ? (e + 1) % hostCount : Math.floor(random.uniform() * hostCount);
  });
  const free = new Float64Array(hostCount).fill(1);
  free[0] = 0;
  const solver = new LaplacianSolver({ hostCount, edgeCount, from, to }, free);
  for (let e = 0; e < edgeCount; e++)
    solver.weights[e] = from[e] === to[e] ? 0 : random.between(1, 4);
  const truth = Float64Array.from({ length: hostCount }, () => random.between(-1000, 1000));
  truth[0] = 0;
  const right = new Float64Array(hostCount);
  for (let e = 0; e < edgeCount; e++) {
    const flow = solver.weights[e] * (truth[to[e]] - truth[from[e]]);
    right[to[e]] += flow;
    right[from[e]] -= flow;
  }
  const x = new Float64Array(hostCount);
  const steps = solver.solve(right, x);
  console.log(`laplacian: ${steps} steps`);
  expect(steps).toBeLessThan(60);
  for (let i = 0; i < hostCount; i++) expect(Math.abs(x[i] - truth[i])).toBeLessThan(1e-4);
});

/** A mesh of one kind with weights over two decades, host 0 grounded, and a right side of noise. */
function problem(kind: "ring" | "tree" | "three" | "caterpillar", hostCount: number) {
  const random = new Prng(7);
  const edges: [number, number][] = [];
  for (let i = 1; i < hostCount; i++) {
    const hooked = kind === "tree" ? Math.floor(random.uniform() * i) : i - 1;
    edges.push([kind === "caterpillar" && i % 2 === 0 ? i - 2 : hooked, i]);
  }
  if (kind === "ring" || kind === "three") edges.push([hostCount - 1, 0]);
  if (kind === "three") {
    for (let i = 0; i < hostCount / 2; i++) {
      edges.push([
        Math.floor(random.uniform() * hostCount),
        Math.floor(random.uniform() * hostCount),
      ]);
    }
  }
  const from = Int32Array.from(edges, (e) => e[0]);
  const to = Int32Array.from(edges, (e) => e[1]);
  const free = new Float64Array(hostCount).fill(1);
  free[0] = 0;
  const solver = new LaplacianSolver({ hostCount, edgeCount: edges.length, from, to }, free);
  const right = new Float64Array(hostCount);
  for (let e = 0; e < edges.length; e++) {
    if (from[e] === to[e]) continue;
    solver.weights[e] = Math.fround(10 ** random.between(-2, 0));
    const flow = Math.sqrt(solver.weights[e]) * random.normal();
    right[to[e]] += flow;
    right[from[e]] -= flow;
  }
  return { solver, right, from, to };
}

test.each([
  ["ring", 3000, 6],
  ["tree", 3000, 3],
  ["caterpillar", 3000, 3],
  ["three", 1000, 80],
  ["three", 10_000, 90],
] as const)("a %s of %i hosts is solved within %i steps", (kind, hostCount, steps) => {
  const { solver, right, from, to } = problem(kind, hostCount);
  const x = new Float64Array(hostCount);
  expect(solver.solve(right, x)).toBeLessThanOrEqual(steps);
  const rest = right.slice();
  for (let e = 0; e < from.length; e++) {
    const flow = solver.weights[e] * (x[to[e]] - x[from[e]]);
    rest[to[e]] -= flow;
    rest[from[e]] += flow;
  }
  for (let i = 1; i < hostCount; i++) expect(Math.abs(rest[i])).toBeLessThan(1e-5);
});

it("is off by no more sigmas of any host than its tolerance says", () => {
  for (const kind of ["ring", "tree", "three"] as const) {
    for (const tolerance of [0.3, 0.01]) {
      const { solver, right } = problem(kind, 60);
      const sigma = denseResistances(solver).map(Math.sqrt);
      const exact = new Float64Array(60);
      solver.solve(right, exact, 1e-12);
      const rough = new Float64Array(60);
      solver.solve(right, rough, tolerance);
      for (let i = 1; i < 60; i++) {
        expect(Math.abs(rough[i] - exact[i])).toBeLessThan(tolerance * sigma[i]);
      }
    }
  }
});

it("tells the same resistances by elimination as column by column", () => {
  const { solver } = problem("three", 50);
  const dense = denseResistances(solver);
  for (let host = 1; host < 50; host++) {
    const unit = new Float64Array(50);
    unit[host] = 1;
    const column = new Float64Array(50);
    solver.solve(unit, column, 1e-9);
    expect(dense[host] / column[host]).toBeCloseTo(1, 6);
  }
  expect(dense[0]).toBe(0);
});
