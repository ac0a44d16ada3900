/** The lines that set the paper's method beside ours. */
import type { Percentiles } from "@ttcs/simulator";
import { duration } from "../units-text.ts";
import type { Run } from "./columns.ts";

/** Our p99 against the paper's; undefined: nothing was measured. */
const ratioOf = (ours: Percentiles, papers: Percentiles): number | undefined =>
  ours.p99 !== null && papers.p99 ? ours.p99 / papers.p99 : undefined;

/** Errors across regions of ours and of the paper's method, at the same instants of the same hosts. */
export function paperText(ours: Percentiles, papers: Percentiles): string {
  const both = ({ p50, p99 }: Percentiles) => `p50 ${duration(p50)}, p99 ${duration(p99)}`;
  const ratio = ratioOf(ours, papers)?.toPrecision(2) ?? "-";
  return `across regions: ${both(ours)}; the paper's method ${both(papers)}; p99 ratio ${ratio}`;
}

/** The ratios of several runs of one scenario; undefined: there are none. */
export function ratiosText(runs: readonly Run[]): string | undefined {
  const ratios = runs
    .flatMap(({ result, paper }) => (paper && ratioOf(result.figures.acrossNs, paper)) ?? [])
    .sort((a, b) => a - b);
  if (ratios.length === 0) return undefined;
  const [name] = runs.map(({ result }) => result.scenario.name);
  const middle = ratios[Math.floor(ratios.length / 2)];
  const worst = ratios[ratios.length - 1];
  return `${name}: p99 across regions against the paper's method, ${ratios.length} seed(s): median ${middle.toPrecision(2)}, worst ${worst.toPrecision(2)}`;
}
