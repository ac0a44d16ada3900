import { Prng } from "@ttcs/units";
import { expect, it } from "vitest";
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
