/** A picture of how honest sigma is: how much lies within so many of it, against a normal law. */
import { CURVE_STEP } from "@ttcs/simulator";
import { lineChart } from "./chart.ts";

/**
 * Error function to 1.2e-7, by a Chebyshev fit (W. Press et al., "Numerical Recipes", 2nd ed., 1992,
 * section 6.2).
 */
function erf(z: number): number {
  const t = 1 / (1 + z / 2);
  const fit = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
    1.48851587, -0.82215223, 0.17087277,
  ];
  const sum = fit.reduceRight((total, c) => total * t + c, 0);
  return 1 - t * Math.exp(-z * z + sum);
}

/** Share of a normal law within `sigmas` of its middle. */
export const normalShare = (sigmas: number): number => erf(sigmas / Math.SQRT2);

/** `curve`: shares within 0, 0.1, 0.2 ... sigma. */
export function coverageChart(title: string, curve: readonly number[]): string {
  const atS = curve.map((_, i) => i * CURVE_STEP);
  return lineChart({
    title,
    series: [
      { name: "measured", atS, values: curve },
      { name: "normal", atS, values: atS.map(normalShare) },
    ],
    unit: (share) => `${(100 * share).toFixed(0)} %`,
    atUnit: "sigma",
  });
}
