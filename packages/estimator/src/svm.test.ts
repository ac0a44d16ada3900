import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import type { Cloud } from "./quantile-lines.ts";
import { separate } from "./svm.ts";

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
