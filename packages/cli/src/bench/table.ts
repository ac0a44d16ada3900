/** The bench's results as text for a terminal. */
import { duration } from "../units-text.ts";
import { CHRONY_S6, type Goal, meshName, ratioText } from "./goals.ts";
import { bestPaper, type MeshResult, ratioOf, type WorldResult } from "./results.ts";

/** Columns, each as wide as its widest cell; the first two to the left. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join("  ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

/** Head of the table of accuracy. */
export const accuracyHead = [
  "world",
  "hosts",
  "pairs/s",
  "packets/s",
  "ours p50",
  "p99",
  "max",
  "paper p99",
  "wide",
  "ratio",
  "oracle p99",
  "ratio",
  "chrony p99",
  "packets/s",
  "ratio",
  "ptp4l p99",
  "ratio",
];

/** One row of it. */
export function accuracyRow(result: WorldResult): string[] {
  const { world, spreads, anchors, hosts, packetsPerS } = result;
  const { ours, paper, paperWide } = spreads;
  const oracle = world.asymmetric ? spreads.blind : spreads.oracle;
  const figures = (other: { p99Ns: number } | undefined) => [
    duration(other?.p99Ns),
    ratioText(ratioOf(ours, other)),
  ];
  const chrony = anchors?.chrony;
  const [chronyP99, chronyRatio] = figures(chrony);
  return [
    world.name,
    String(hosts),
    rateText(world.pairsPerSecond),
    rateText(packetsPerS),
    duration(ours?.p50Ns),
    duration(ours?.p99Ns),
    duration(ours?.maxNs),
    duration(paper?.p99Ns),
    duration(paperWide?.p99Ns),
    ratioText(ratioOf(ours, bestPaper(result))),
    ...figures(oracle),
    chronyP99,
    chrony ? rateText(2 * chrony.exchangesPerS) : "-",
    chronyRatio,
    ...figures(anchors?.ptp4l),
  ];
}

const rateText = (rate: number): string => (rate < 9.95 ? rate.toFixed(1) : rate.toFixed(0));

/** Head of the table of coverage. */
export const coverageHead = [
  "world",
  "sigma",
  "windows",
  "in 1 sigma",
  "2 sigma",
  "3 sigma",
  "bound",
  "rows",
  "outside",
];

/** One row of it. */
export function coverageRow({ world, coverage }: WorldResult): string[] {
  const { sigmaNs, boundNs, windowCount, within1, within2, within3 } = coverage;
  return [
    world.aboutMean ? `${world.name} (about the mean)` : world.name,
    duration(sigmaNs),
    String(windowCount),
    ...[within1, within2, within3].map(percent),
    duration(boundNs),
    String(coverage.rowCount),
    String(coverage.outsideBound),
  ];
}

const percent = (share: number): string =>
  Number.isNaN(share) ? "-" : `${(100 * share).toFixed(1)} %`;

/** Head of the table of meshes. */
export const meshHead = [
  "mesh",
  "drawn",
  "p50",
  "p99",
  "max",
  "chrony p99",
  "ratio",
  "in 1 sigma",
  "2 sigma",
  "3 sigma",
  "outside",
];

/** One row of it. */
export function meshRow(result: MeshResult): string[] {
  const { spread, sigma, meshCount, outsideBound } = result;
  return [
    meshName(result),
    String(meshCount),
    duration(spread.p50Ns),
    duration(spread.p99Ns),
    duration(spread.maxNs),
    duration(CHRONY_S6.p99Ns),
    ratioText(ratioOf(spread, CHRONY_S6)),
    ...[sigma.within1, sigma.within2, sigma.within3].map(percent),
    String(outsideBound),
  ];
}

const GROUPS: readonly (readonly [Goal["group"], string])[] = [
  ["paper", "1. against the paper's method on the same probes"],
  ["chrony", "2. against the best chrony of the anchors"],
  ["oracle", "3. against the oracle"],
  ["coverage", "4. sigma and bound"],
  ["second", "5. the second generator"],
];

/** The goals, group by group: those that are missed by name, the rest counted where it is long. */
export function goalsText(goals: readonly Goal[]): string {
  const lines: string[] = [];
  for (const [group, title] of GROUPS) {
    const own = goals.filter((goal) => goal.group === group);
    if (own.length === 0) continue;
    const held = own.filter(({ holds }) => holds).length;
    lines.push(`${held === own.length ? "yes" : "no "}  ${title}: ${held} of ${own.length}`);
    for (const { world, text, holds } of own) {
      if (holds && group === "coverage") continue;
      lines.push(`       ${holds ? "yes" : "no "}  ${world}: ${text}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
