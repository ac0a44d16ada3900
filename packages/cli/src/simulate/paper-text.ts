/** The line that sets the paper's method beside ours. */
import type { Percentiles } from "@ttcs/simulator";
import { duration } from "../units-text.ts";

/** Errors across regions of ours and of the paper's method, at the same instants of the same hosts. */
export function paperText(ours: Percentiles, papers: Percentiles): string {
  const both = ({ p50, p99 }: Percentiles) => `p50 ${duration(p50)}, p99 ${duration(p99)}`;
  const ratio = ours.p99 !== null && papers.p99 ? (ours.p99 / papers.p99).toPrecision(2) : "-";
  return `across regions: ${both(ours)}; the paper's method ${both(papers)}; p99 ratio ${ratio}`;
}
