import { Prng } from "@ttcs/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Cloud, commonSlope, intercept } from "./quantile-lines.ts";

function cloudOf(random: Prng, length: number, slope: number, side: 1 | -1): Cloud {
  const xNs = Float64Array.from({ length }, () => random.between(0, 2e9));
  const meanXNs = xNs.reduce((sum, x) => sum + x, 0) / length;
  const dxNs = xNs.map((x) => x - meanXNs);
  const yNs = xNs.map((x) => slope * x + side * (100 + random.exponential(1000)));
  return { length, dxNs, yNs, meanXNs, firstNs: Math.min(...xNs), lastNs: Math.max(...xNs) };
}

/** Sum of check functions of one cloud for a slope, with the best intercept. */
function cost(cloud: Cloud, q: number, alpha: number): number {
  const level = intercept(cloud, q, alpha);
  let sum = 0;
  for (let i = 0; i < cloud.length; i++) {
    const residual = cloud.yNs[i] - alpha * cloud.dxNs[i] - level;
    sum += residual * (residual < 0 ? q - 1 : q);
  }
  return sum;
}

it("finds the least sum of check functions", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 10, max: 40 }),
      fc.integer({ min: 10, max: 40 }),
      fc.double({ min: 0.05, max: 0.4, noNaN: true }),
      (seed, upperCount, lowerCount, tau) => {
        const random = new Prng(seed);
        const slope = random.between(-5e-4, 5e-4);
        const upper = cloudOf(random, upperCount, slope, 1);
        const lower = cloudOf(random, lowerCount, slope, -1);
        const total = (alpha: number) => cost(upper, tau, alpha) + cost(lower, 1 - tau, alpha);
        const found = commonSlope(upper, lower, tau, random.between(-1e-3, 1e-3), 1e-3);
        const least = total(found);
        // The profile is convex and piecewise linear: its minimum is at a slope between two points.
        for (const cloud of [upper, lower]) {
          for (let i = 0; i < cloud.length; i++) {
            for (let j = 0; j < i; j++) {
              const run = cloud.dxNs[i] - cloud.dxNs[j];
              const alpha = (cloud.yNs[i] - cloud.yNs[j]) / run;
              if (Math.abs(alpha) < 1e-3) expect(least).toBeLessThan(total(alpha) + 1);
            }
          }
        }
      },
    ),
    { seed: 21, numRuns: 60 },
  );
});
