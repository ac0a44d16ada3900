/**
 * The report of `ttcs bench accuracy`: one HTML file that needs nothing else, readable on a phone.
 *
 * Above, the goals and the tables that the terminal shows; then a row of pictures for each world.
 */
import { type Contestant, SETTLED_S, type WindowShot } from "@ttcs/simulator";
import { escaped, lineChart } from "../replay/chart.ts";
import { coverageChart } from "../replay/coverage-chart.ts";
import { distributionChart, windowChart } from "../replay/distribution.ts";
import { STYLE } from "../replay/report-style.ts";
import { signedDuration } from "../units-text.ts";
import { type Goal, meshName } from "./goals.ts";
import type { MeshResult, WorldResult } from "./results.ts";
import {
  accuracyHead,
  accuracyRow,
  coverageHead,
  coverageRow,
  meshHead,
  meshRow,
} from "./table.ts";

/** What the page shows. */
export interface BenchReport {
  /** What was run, in a sentence or two. */
  readonly head: string;
  readonly worlds: readonly WorldResult[];
  readonly meshes: readonly MeshResult[];
  readonly goals: readonly Goal[];
}

/** Names of the contestants in pictures. */
const NAMES: Readonly<Record<Contestant, string>> = {
  ours: "ours",
  paper: "paper",
  paperWide: "paper, wide",
  oracle: "oracle",
  blind: "oracle, blind",
};

/** Colours go by place: everybody has one and the same in all pictures. */
const ORDER: readonly Contestant[] = ["ours", "paper", "oracle", "paperWide", "blind"];

/** The whole page. */
export function benchHtml({ head, worlds, meshes, goals }: BenchReport): string {
  const tables = [
    ["Accuracy", accuracyHead, worlds.map(accuracyRow)] as const,
    ["Sigma and bound", coverageHead, worlds.map(coverageRow)] as const,
    ["Drawn meshes of S6", meshHead, meshes.map(meshRow)] as const,
  ];
  const parts = tables
    .filter(([, , rows]) => rows.length > 0)
    .map(([title, names, rows]) => `<h2>${title}</h2>\n${figures(names, rows)}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Accuracy</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Accuracy</h1>
<p>${escaped(head)}</p>
${parts.join("\n")}
${meshPart(meshes)}
<h2>Goals</h2>
${goalTable(goals)}
${worlds.map(worldPart).join("\n")}
</body>
</html>
`;
}

function figures(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  const body = rows.map((row) => cells("td", row)).join("\n");
  return `<div class="wide"><table class="figures">${cells("th", head)}\n${body}</table></div>`;
}

function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map(({ group, world, text, holds }) => {
    const verdict = holds ? '<td class="yes">yes</td>' : '<td class="no">no</td>';
    return `<tr>${verdict}<td>${group}</td><td>${escaped(world)}</td><td>${escaped(text)}</td></tr>`;
  });
  return `<div class="wide"><table>${rows.join("\n")}</table></div>`;
}

function meshPart(meshes: readonly MeshResult[]): string {
  const curves = meshes.map((mesh) => ({ name: mesh.mesh.neighbours, mesh }));
  const byNeighbours = curves.filter(({ mesh }) => mesh.mesh.hosts === 20);
  if (byNeighbours.length < 2) return "";
  const atS = byNeighbours.map(({ name }) => name);
  const values = byNeighbours.map(({ mesh }) => mesh.spread.p99Ns);
  const names = byNeighbours.map(({ mesh }) => meshName(mesh)).join("; ");
  const chart = lineChart({
    title: "p99 by neighbours (K), 20 hosts",
    series: [{ name: "p99", atS, values }],
    unit: (ns) => `${(ns / 1e3).toFixed(1)} us`,
    atUnit: "neighbours",
  });
  return `<p>${escaped(names)}</p><div class="pictures">${chart}</div>`;
}

function worldPart(result: WorldResult): string {
  const { world, curves, course, shot, seeds, seconds, hosts } = result;
  const drawn = ORDER.flatMap((name) => {
    const sizesNs = curves[name];
    return sizesNs ? [{ name: NAMES[name], sizesNs }] : [];
  });
  const pictures = [
    distributionChart("|error| at most, share of the estimates", drawn),
    coverageChart("share within k sigma", result.coverage.curve),
  ];
  if (course) pictures.unshift(...courseCharts(course));
  if (shot) pictures.push(windowChart(`one window, ${shot.from} to ${shot.to}`, named(shot)));
  return (
    `<h2>${escaped(world.name)}</h2>\n<p>${escaped(world.title)}; ${hosts} hosts, ` +
    `${seconds} s, seeds ${seeds.join(", ")}</p>\n<div class="pictures">${pictures.join("\n")}</div>`
  );
}

/** Lines in the order of the colours, by the names that people know. */
function named(shot: WindowShot): WindowShot {
  const rank = (name: string) => (ORDER.indexOf(name as Contestant) + ORDER.length) % ORDER.length;
  const lines = [...shot.lines]
    .filter(({ name }) => name !== "blind")
    .sort((a, b) => rank(a.name) - rank(b.name))
    .map((line) => ({ ...line, name: NAMES[line.name as Contestant] ?? line.name }));
  return { ...shot, lines };
}

function courseCharts({ host, atS, errorNs, sigmaNs }: NonNullable<WorldResult["course"]>) {
  const ours = errorNs.ours ?? [];
  const pick = (names: readonly Contestant[]) =>
    names.flatMap((name) => {
      const values = errorNs[name];
      return values ? [{ name: NAMES[name], atS, values }] : [];
    });
  const band = [
    { name: "error", atS, values: ours },
    { name: "+2 sigma", atS, values: sigmaNs.map((sigma) => 2 * sigma) },
    { name: "-2 sigma", atS, values: sigmaNs.map((sigma) => -2 * sigma) },
  ];
  return [
    lineChart({ title: `${host}, ours`, series: settled(band), unit: signedDuration }),
    lineChart({
      title: `${host}, all`,
      series: settled(pick(["ours", "paper", "oracle"])),
      unit: signedDuration,
    }),
  ];
}

/** What is judged begins when everything has settled. */
function settled<T extends { atS: readonly number[]; values: readonly number[] }>(
  series: readonly T[],
): T[] {
  return series.map((each) => {
    const first = each.atS.findIndex((s) => s >= SETTLED_S);
    if (first < 0) return each;
    return { ...each, atS: each.atS.slice(first), values: each.values.slice(first) };
  });
}
