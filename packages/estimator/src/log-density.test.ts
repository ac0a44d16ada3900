import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { roughLogs, smoothLogs } from "./log-density.ts";

const CELLS = 80;

/** Counts of `total` drawn delays in cells of one width; `drawIn` is in cells. */
function counted(total: number, drawIn: () => number) {
  const counts = new Float64Array(CELLS);
  for (let i = 0; i < total; i++) {
    const cell = Math.floor(drawIn());
    if (cell >= 0 && cell < CELLS) counts[cell]++;
  }
  return { length: CELLS, counts, exposures: new Float64Array(CELLS).fill(total) };
}

function smoothed(cells: ReturnType<typeof counted>, like?: Float64Array): Float64Array {
  const logs = new Float64Array(CELLS);
  roughLogs(cells, logs);
  smoothLogs(cells, logs, like);
  return logs;
}

/** Root mean square of the logarithms' errors from cell `from` to `to`. */
function rmsError(logs: Float64Array, truth: (at: number) => number, from: number, to: number) {
  let sum = 0;
  for (let i = from; i < to; i++) sum += (logs[i] - truth(i + 0.5)) ** 2;
  return Math.sqrt(sum / (to - from));
}

const normalLog = (mean: number, sigma: number) => (at: number) =>
  -(((at - mean) / sigma) ** 2) / 2 - Math.log(sigma * Math.sqrt(2 * Math.PI));

test("a normal density is found from few delays, far better than by their counts", () => {
  const random = new Prng(1);
  const cells = counted(1_000, () => 40 + 10 * random.normal());
  const rough = new Float64Array(CELLS);
  roughLogs(cells, rough);
  const truth = normalLog(40, 10);
  const error = rmsError(smoothed(cells), truth, 24, 56);
  expect(error).toBeLessThan(0.13);
  expect(rmsError(rough, truth, 24, 56)).toBeGreaterThan(1.5 * error);
});

test("expected counts add up to the counts", () => {
  const random = new Prng(2);
  const cells = counted(3_000, () => 20 + 12 * random.exponential(1));
  let expected = 0;
  for (const log of smoothed(cells)) expected += 3_000 * Math.exp(log);
  expect(expected / cells.counts.reduce((a, b) => a + b)).toBeCloseTo(1, 2);
});

test("a density that is alike takes noise away, whatever its factor", () => {
  const random = new Prng(3);
  const draw = () =>
    30 + 4 * random.normal() + (random.uniform() < 0.5 ? 15 * random.uniform() : 0);
  const like = smoothed(counted(200_000, draw)).map((log) => log + 3);
  const truth = (at: number) => like[Math.floor(at)] - 3;
  const few = counted(400, draw);
  const error = rmsError(smoothed(few, like), truth, 22, 50);
  expect(error).toBeLessThan(0.7 * rmsError(smoothed(few), truth, 22, 50));
});

test("where counts are many, one that is not alike after all does no harm", () => {
  const random = new Prng(4);
  const like = smoothed(counted(20_000, () => 40 + 10 * random.normal()));
  const cells = counted(20_000, () => 35 + 5 * random.normal());
  expect(rmsError(smoothed(cells, like), normalLog(35, 5), 25, 45)).toBeLessThan(0.1);
});

test("cells without any count end in finite logarithms", () => {
  const cells = counted(0, () => 0);
  cells.exposures.fill(1);
  for (const log of smoothed(cells)) expect(Number.isFinite(log)).toBe(true);
});
