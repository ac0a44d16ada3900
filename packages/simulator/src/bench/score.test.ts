import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { TruthLines } from "./errors.ts";
import { coverageOf, type Judged, sizesOf, spreadOf } from "./score.ts";

/** Rows every half second of one host, with errors of `sigma` about `meanNs`. */
function rows(count: number, sigma: number, meanNs = 0): Judged {
  const random = new Prng(7);
  const judged = { host: [], atS: [], sigmaNs: [], boundNs: [], errorNs: [] } as {
    [key in keyof Judged]: number[];
  };
  for (let i = 0; i < count; i++) {
    judged.host.push(1);
    judged.atS.push(i / 2);
    judged.sigmaNs.push(1);
    judged.boundNs.push(10);
    judged.errorNs.push(meanNs + sigma * random.normal());
  }
  return judged;
}

test("what is normal is covered as a normal law has it, by rows 2 s apart after settling", () => {
  const { windowCount, within1, within2, within3 } = coverageOf([rows(20_000, 1)], false);
  expect(windowCount).toBe(Math.ceil((20_000 - 30) / 4));
  expect(within1).toBeCloseTo(0.683, 1);
  expect(within2).toBeCloseTo(0.954, 1);
  expect(within3).toBeGreaterThan(0.993);
});

test("a constant error counts against sigma, but for where it is said to be asymmetry", () => {
  expect(coverageOf([rows(4_000, 1, 5)], false).within1).toBeLessThan(0.01);
  expect(coverageOf([rows(4_000, 1, 5)], true).within1).toBeGreaterThan(0.6);
});

test("rows outside the bound count from the first one on", () => {
  const judged = rows(100, 1);
  (judged.errorNs as number[])[3] = 11;
  (judged.errorNs as number[])[90] = Number.NaN;
  expect(coverageOf([judged], false)).toMatchObject({ rowCount: 99, outsideBound: 1 });
});

test("sizes are those of settled errors", () => {
  const judged = rows(40, 0, -3);
  (judged.errorNs as number[])[0] = 1e9;
  expect(spreadOf(sizesOf([judged]))).toEqual({ count: 10, p50Ns: 3, p99Ns: 3, maxNs: 3 });
});

test("the truth is interpolated, and not told outside of what is known", () => {
  const truth = new TruthLines(2);
  for (let i = 0; i <= 10; i++) truth.add(1, 5 + i * 100.01, i * 100);
  expect(truth.referenceAt(1, 5 + 250.025)).toBeCloseTo(250, 9);
  expect(truth.referenceAt(1, 5 + 1000.1)).toBeCloseTo(1000, 9);
  expect(truth.referenceAt(1, 4)).toBeNaN();
  expect(truth.referenceAt(1, 1006)).toBeNaN();
});
