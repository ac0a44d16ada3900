import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import type { Cloud } from "./quantile-lines.ts";
import { bestWeights, objective, separate } from "./svm.ts";

const SEED = 20261122;

/** A cloud of points (x, y) in ns. */
function cloud(points: readonly (readonly [number, number])[]): Cloud {
  const meanXNs = points.reduce((sum, p) => sum + p[0], 0) / points.length;
  return {
    length: points.length,
    dxNs: Float64Array.from(points, (p) => p[0] - meanXNs),
    yNs: Float64Array.from(points, (p) => p[1]),
    meanXNs,
    firstNs: Math.min(...points.map((p) => p[0])),
    lastNs: Math.max(...points.map((p) => p[0])),
  };
}

/** Points at `heightNs` over 2 s, on and `scatterNs` beyond it, upwards or downwards. */
function band(seed: number, count: number, heightNs: number, scatterNs: number, slope = 0) {
  const random = new Prng(seed);
  return Array.from({ length: count }, (_, i): [number, number] => {
    const x = (i * 2e9) / (count - 1);
    return [x, heightNs + slope * x + (i % 2 === 0 ? 0 : scatterNs * random.uniform())];
  });
}

const near = { slope: 0, heightNs: 1900 };

describe("separate", () => {
  it("lies midway between two flat edges", () => {
    const line = separate(
      cloud(band(1, 61, 3000, 2000)),
      cloud(band(2, 61, 1000, -2000)),
      near,
      1e9,
    );
    expect(Math.abs(line!.heightNs - 2000)).toBeLessThan(2);
    expect(Math.abs(line!.slope)).toBeLessThan(1e-9);
  });

  it("finds slope and height wherever the search begins near them", () => {
    const upper = cloud(band(1, 61, 3000, 2000, 12e-6));
    const lower = cloud(band(2, 61, 1000, -2000, 12e-6));
    for (const guess of [12e-6, 11.9e-6, 12.2e-6]) {
      const line = separate(upper, lower, { slope: guess, heightNs: 8200 }, 0.5e9)!;
      expect(Math.abs(line.slope - 12e-6)).toBeLessThan(5e-9);
      expect(Math.abs(line.heightNs - 2000 - 12e-6 * 0.5e9)).toBeLessThan(10);
    }
  });

  it("gives way to one early stamp by a small part of it", () => {
    const upper = band(1, 201, 3000, 2000);
    upper[80] = [upper[80][0], 1700];
    const line = separate(cloud(upper), cloud(band(2, 201, 1000, -2000)), near, 1e9)!;
    // A hard margin would lie at 1350 there.
    expect(Math.abs(line.heightNs - 2000)).toBeLessThan(150);
  });

  it("has no line for clouds that are upside down", () => {
    expect(separate(cloud(band(1, 61, -3000, 10)), cloud(band(2, 61, 3000, 10)), near, 0)).toBe(
      undefined,
    );
  });

  it("is the same every time", () => {
    const upper = cloud(band(SEED, 61, 300, 2000));
    const lower = cloud(band(SEED + 1, 61, 100, -2000));
    expect(separate(upper, lower, near, 1e9)).toEqual(separate(upper, lower, near, 1e9));
  });
});

it.each([20, 200, 800])("of %i points, no step in any direction leads lower", (count) => {
  const random = new Prng(count);
  const column = (of: (i: number) => number) =>
    Float64Array.from({ length: count }, (_, i) => of(i));
  const label = column((i) => (i % 2 === 0 ? 1 : -1));
  const points = {
    count,
    time: column(() => random.between(-1, 1)),
    // Both clouds end at 0.3; one in twenty lies on the wrong side.
    value: column(
      (i) => label[i] * (0.3 + random.exponential(0.2) - (i % 20 < 1 ? 0.7 : 0)) + 0.05,
    ),
    label,
  };
  const w = bestWeights(points);
  const least = objective(points, w, 0);
  for (let trial = 0; trial < 300; trial++) {
    const size = 10 ** random.between(-4, 0);
    const other = w.map((value) => value + size * random.normal());
    expect(objective(points, other, 0)).toBeGreaterThan(least * (1 - 1e-6));
  }
});
