/** Estimates as rows of `estimates.csv`. */
import type { Estimate } from "@ttcs/simulator";

/** First line of the file. */
export const ESTIMATES_HEADER = "host,host_ns,reference_ns,freq_ppb,sigma_ns,bound_ns\n";

/** One row, with its line end. */
export function estimateRow(id: string, estimate: Estimate): string {
  const { hostNs, referenceNs, earlierNs, freqPpb, sigmaNs, boundNs } = estimate;
  const figures = [freqPpb, sigmaNs, boundNs].map((value) => value.toFixed(3)).join(",");
  return `${id},${hostNs},${fractionBelow(referenceNs, earlierNs)},${figures}\n`;
}

/** `ns - earlierNs` (0 to 1 ns) as a decimal number with three places. */
function fractionBelow(ns: bigint, earlierNs: number): string {
  const thousandths = Math.round(1000 * earlierNs);
  if (thousandths === 0) return `${ns}.000`;
  return `${ns - 1n}.${String(1000 - thousandths).padStart(3, "0")}`;
}
