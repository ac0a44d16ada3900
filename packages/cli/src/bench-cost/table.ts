/** What `ttcs bench cost` prints: a row for each size, parts as columns, growth and goals below. */
import Table from "cli-table3";
import type { FitCost } from "./fit-cost.ts";
import { PARTS, type RoundCost } from "./round-cost.ts";

/** Goals of a round on one core (ms), by the number of hosts, and of a fit (us). */
const GOALS_MS: ReadonlyMap<number, number> = new Map([
  [1_000, 20],
  [10_000, 250],
]);
const FIT_GOAL_US = 200;
/** Cost may grow with the number of hosts by this power. */
const GROWTH_GOAL = 1.1;
/** Below this many hosts a round is mostly what is the same for every size. */
const GROWTH_FROM_HOSTS = 300;

const ms = (value: number): string => (value < 9.995 ? value.toFixed(2) : value.toFixed(1));

/** The rounds of all sizes. */
export function roundTable(costs: readonly RoundCost[]): string {
  const head = ["hosts", "edges", "round ms", "cpu ms", "goal", "cpu of it", "worst ms"];
  const table = plainTable([...head, ...PARTS, "sketch"]);
  for (const cost of costs) {
    const goalMs = GOALS_MS.get(cost.hostCount);
    table.push([
      `${cost.hostCount}`,
      `${cost.edgeCount}`,
      ms(cost.roundMs),
      ms(cost.cpuMs),
      goalMs === undefined ? "-" : `${goalMs}`,
      goalMs === undefined ? "-" : `${(cost.cpuMs / goalMs).toFixed(2)} x`,
      ms(cost.worstMs),
      ...PARTS.map((part) => ms(cost.partMs[part])),
      `${ms(cost.sketchMs)} in pieces of ${ms(cost.pieceMs)}`,
    ]);
  }
  return table.toString();
}

/** By which power of the number of hosts cost grows from one size to the next. */
export function growthTable(costs: readonly RoundCost[]): string {
  const table = plainTable(["hosts", "round", "power", "cpu", "power", ...PARTS]);
  for (let i = 1; i < costs.length; i++) {
    const [a, b] = [costs[i - 1], costs[i]];
    table.push([
      `${a.hostCount} to ${b.hostCount}`,
      `${(b.roundMs / a.roundMs).toFixed(2)} x`,
      growthPower(a, b, a.roundMs, b.roundMs),
      `${(b.cpuMs / a.cpuMs).toFixed(2)} x`,
      growthPower(a, b, a.cpuMs, b.cpuMs),
      ...PARTS.map((part) => growthPower(a, b, a.partMs[part], b.partMs[part])),
    ]);
  }
  return table.toString();
}

/** What all of it says against the goals, a line each. */
export function verdictLines(costs: readonly RoundCost[], fit: FitCost): string[] {
  const lines = [
    `an edge fit of 2 x 200 pairs: ${fit.trackedUs.toFixed(0)} us in a stream of windows` +
      ` (nine of ten within ${fit.tracked90Us.toFixed(0)} us), ${fit.aloneUs.toFixed(0)} us` +
      ` for a window by itself; goal ${FIT_GOAL_US} us,` +
      ` ${(fit.trackedUs / FIT_GOAL_US).toFixed(2)} x of it`,
  ];
  const first = costs.find((cost) => cost.hostCount >= GROWTH_FROM_HOSTS);
  const last = costs.at(-1);
  if (first && last && last.hostCount > first.hostCount) {
    const onWall = growthPower(first, last, first.roundMs, last.roundMs);
    const ofCpu = growthPower(first, last, first.cpuMs, last.cpuMs);
    lines.push(
      `from ${first.hostCount} to ${last.hostCount} hosts a round grows with the power ${onWall}` +
        ` of the hosts on the wall, ${ofCpu} in CPU time; goal ${GROWTH_GOAL}`,
    );
  }
  return lines;
}

function growthPower(a: RoundCost, b: RoundCost, aMs: number, bMs: number): string {
  if (!(aMs > 0 && bMs > 0)) return "-";
  return (Math.log(bMs / aMs) / Math.log(b.hostCount / a.hostCount)).toFixed(2);
}

const plainTable = (head: readonly string[]): Table.Table =>
  new Table({
    head: [...head],
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    colAligns: head.map((_, i) => (i === 0 ? "left" : "right")),
    chars: Object.fromEntries(
      ["top", "bottom", "mid", "left", "right", "middle"]
        .flatMap((name) => [name, `${name}-mid`, `${name}-left`, `${name}-right`])
        .map((name) => [name, ""]),
    ),
  });
