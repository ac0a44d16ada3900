import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import { delaysAbove, guaranteedInterval, type OffsetLine } from "./edge-bound.ts";
import type { ProbeColumns } from "./pairs.ts";

const line = (midNs: number, slope: number): OffsetLine => ({
  midNs,
  slope,
  offsetNs: 0,
  slopeSigma: 0,
  offsetSigmaNs: 0,
});

/** Probes sent at x, received `boundNs` later by the other clock. */
function columnsOf(points: readonly (readonly [xNs: number, boundNs: number])[]): ProbeColumns {
  return {
    length: points.length,
    probe: Float64Array.from(points, (_, i) => i),
    txNs: Float64Array.from(points, (p) => p[0]),
    rxNs: Float64Array.from(points, (p) => p[0] + p[1]),
  };
}

const none = columnsOf([]);

describe("guaranteedInterval", () => {
  it("is the lowest of all chords over the middle, wherever the search begins", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Prng(seed);
      // Within 10 ms the allowance for a change of frequency is below 0.01 ns.
      const points = Array.from({ length: 40 }, () => {
        return [random.between(-1e7, 1e7), random.exponential(50_000)] as const;
      });
      let lowest = Number.POSITIVE_INFINITY;
      for (const [xa, a] of points) {
        for (const [xb, b] of points) {
          if (xa > 0 || xb <= 0) continue;
          lowest = Math.min(lowest, a - ((b - a) / (xb - xa)) * xa);
        }
      }
      const slope = random.between(-1e-3, 1e-3);
      const { highNs } = guaranteedInterval(columnsOf(points), none, line(0, slope), 0);
      expect(Math.abs(highNs - lowest)).toBeLessThan(0.1);
    }
  });

  it("allows any slope of a clock where all probes lie on one side", () => {
    const { highNs, lowNs } = guaranteedInterval(columnsOf([[1e6, 500]]), none, line(0, 0), 0);
    // 1000 ppm over 1 ms.
    expect(highNs).toBeCloseTo(1500, 3);
    expect(lowNs).toBe(Number.NEGATIVE_INFINITY);
  });

  it("allows for a bend of 100 ppb/s", () => {
    const points = columnsOf([
      [-1e9, 500],
      [1e9, 500],
    ]);
    const { highNs } = guaranteedInterval(points, none, line(0, 0), 7);
    expect(highNs).toBeCloseTo(500 + 50 + 7, 6);
  });
});

describe("delaysAbove", () => {
  it("takes the smallest delay against the line and the median above it", () => {
    const columns = columnsOf([
      [0, 500],
      [1e6, 700],
      [2e6, 540],
      [Number.NaN, 1],
    ]);
    expect(delaysAbove(columns, line(0, 0), true)).toEqual({ minNs: 500, jitterNs: 40 });
  });
});
