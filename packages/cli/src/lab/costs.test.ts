import { expect, test } from "vitest";
import { type CostSnapshot, costsBetween, costsText, type ProcessSnapshot } from "./costs.ts";

const agent = (pid: number, cpuSeconds: number, probing: number, fit: number): ProcessSnapshot => ({
  id: `h${pid}`,
  pid,
  cpuSeconds,
  memoryMb: 90 + pid,
  cpu: { probing_s: probing, exchange_s: 0, fit_s: fit, solve_s: 0, rest_s: 0 },
});
const server = (cpuSeconds: number, solve: number): ProcessSnapshot => ({
  id: "server",
  pid: 99,
  cpuSeconds,
  memoryMb: 80,
  cpu: { probing_s: 0, exchange_s: 0, fit_s: 0, solve_s: solve, rest_s: 0 },
});

const before: CostSnapshot = { atS: 100, processes: [agent(1, 5, 1, 1), server(3, 1)] };

test("parts of all processes add up to what the kernel counts", () => {
  const after = { atS: 110, processes: [agent(1, 10, 3, 2), server(5, 2), agent(2, 1, 0.5, 0)] };
  const costs = costsBetween(before, after);
  expect(costs.seconds).toBe(10);
  // 5 s of the agent, 2 s of the server, 1 s of the agent that was started in between.
  expect(costs.cores.total).toBeCloseTo(0.8, 12);
  expect(costs.cores.probing).toBeCloseTo(0.25, 12);
  expect(costs.cores.fit).toBeCloseTo(0.1, 12);
  expect(costs.cores.solve).toBeCloseTo(0.1, 12);
  const { probing, exchange, fit, solve, rest, total } = costs.cores;
  expect(probing + exchange + fit + solve + rest).toBeCloseTo(total, 12);
  expect(costs.agentMemoryMb).toEqual({ p50: 92, max: 92 });
  expect(costs.serverMemoryMb).toBe(80);
});

test("a process that did not answer is all rest, and does not spoil the others", () => {
  const { cpu: _, ...silent } = agent(1, 10, 0, 0);
  const costs = costsBetween(before, { atS: 110, processes: [silent, server(5, 2)] });
  expect(costs.cores.probing).toBe(0);
  expect(costs.cores.rest).toBeCloseTo(0.6, 12);
  expect(costs.cores.total).toBeCloseTo(0.7, 12);
});

test("the text names every part with its share", () => {
  const after = { atS: 160, processes: [agent(1, 10, 3, 2), server(5, 2)] };
  const text = costsText(costsBetween(before, after));
  expect(text).toContain("CPU over 60 s by part:");
  expect(text).toMatch(/probing {3}0\.033 cores {2}29 % {2}sending and reading out probes/);
  expect(text).toContain("memory: agents 91 MB (largest 91 MB), server 80 MB");
});
