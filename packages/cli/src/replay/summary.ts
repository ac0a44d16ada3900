/** The result of a replay in a few lines for the terminal. */
import type { Method, OddCounts, OddKind, TracePlan, WindowShot } from "@ttcs/simulator";
import { duration } from "../units-text.ts";
import { oddWords, quantile, type Tally } from "./tally.ts";

/** A replay that has come to its end. */
export interface Outcome {
  readonly plan: TracePlan;
  readonly method: Method;
  readonly tally: Tally;
  readonly odd: OddCounts;
  readonly rowCount: number;
  /** One window of the first edge, for the report; none was trusted when it is missing. */
  readonly shot: WindowShot | undefined;
}

/** Kinds of odd rows that came up, in words. */
export function oddText(odd: OddCounts): string {
  const kinds = (Object.keys(odd) as OddKind[]).filter((kind) => odd[kind] > 0);
  return kinds.map((kind) => `${odd[kind]} ${oddWords[kind]}`).join(", ") || "none";
}

/** "p50 12.3 ns, p99 45.6 ns". */
export const spreadText = (sorted: Float64Array): string =>
  `p50 ${duration(quantile(sorted, 0.5))}, p99 ${duration(quantile(sorted, 0.99))}`;

/** A share as per cent; only what is complete is called 100 %. */
export const percentText = (share: number): string =>
  share === 1 ? "100 %" : `${Math.min(99.99, 100 * share).toFixed(2)} %`;

/** The lines, with a line end. */
export function summaryText(folder: string, outcome: Outcome): string {
  const { plan, method, tally, odd, rowCount } = outcome;
  const reference = plan.hosts[plan.reference].id;
  const lines = [
    `${folder}: ${plan.hosts.length} hosts, ${plan.edges.length} edges, reference ${reference}, ` +
      `${plan.timestamping} stamps, method ${method}`,
    `rows       ${rowCount}; odd ones skipped: ${oddText(odd)}`,
    `rounds     ${tally.roundCount}`,
    `estimates  ${tally.estimateCount}`,
    `sigma      ${spreadText(tally.sorted("sigmaNs"))}`,
    `bound      ${spreadText(tally.sorted("boundNs"))}`,
  ];
  const errors = tally.sorted("errorNs");
  if (tally.hasTruth) {
    lines.push(`|error|    ${spreadText(errors)}; within the bound: ${withinText(tally)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Why a replay came to nothing, in one line. */
export function noEstimatesText(tally: Tally): string {
  if (!tally.hadBothWays) {
    return "no window had probes in both directions; rows must be in the order of sending";
  }
  let most = { count: 0, text: "" };
  for (const { reasons } of tally.edges) {
    for (const reason of reasons.values()) if (reason.count > most.count) most = reason;
  }
  if (most.count > 0) return `most windows could not be used: ${most.text}`;
  return "no edges join the hosts to the reference";
}

/** Share of the errors within their bound, and of how many. */
export function withinText(tally: Tally): string {
  const known = tally.sorted("errorNs").length;
  return known === 0 ? "nothing to compare" : `${percentText(tally.withinShare)} of ${known}`;
}
