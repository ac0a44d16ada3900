/**
 * The report of a replay: one HTML file that needs nothing else, readable on a phone.
 *
 * Above, the summary and pictures of all hosts together; then a row of pictures for each host; then the edges as a table with small
 * pictures, and why any of them was distrusted or left out.
 */
import { duration, signedDuration } from "../units-text.ts";
import { escaped, lineChart, sparkline } from "./chart.ts";
import { coverageChart } from "./coverage-chart.ts";
import { distributionChart, windowChart } from "./distribution.ts";
import { STYLE } from "./report-style.ts";
import { type Outcome, oddText, percentText, withinText } from "./summary.ts";
import { type EdgeTally, type HostTally, quantile } from "./tally.ts";

/** Pictures of more hosts than this make no page to be looked at; the table has all of them. */
const HOSTS_DRAWN = 64;
/** Points of a picture of a distribution. */
const CURVE_POINTS = 120;

/** The whole page. */
export function reportHtml(folder: string, outcome: Outcome): string {
  const title = `Replay of ${folder}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${summaryPart(outcome)}
${allPart(outcome)}
${hostsPart(outcome)}
${edgesPart(outcome)}
</body>
</html>
`;
}

function summaryPart({ plan, method, tally, odd, rowCount }: Outcome): string {
  const spread = (column: "sigmaNs" | "boundNs" | "errorNs") => {
    const sorted = tally.sorted(column);
    return `${duration(quantile(sorted, 0.5))} median, ${duration(quantile(sorted, 0.99))} p99`;
  };
  const facts: [string, string][] = [
    ["hosts", `${plan.hosts.length}, reference ${plan.hosts[plan.reference].id}`],
    ["edges", String(plan.edges.length)],
    ["stamps", plan.timestamping],
    ["method", method],
    ["rows", `${rowCount}; odd ones skipped: ${oddText(odd)}`],
    ["rounds", String(tally.roundCount)],
    ["estimates", String(tally.estimateCount)],
    ["sigma", spread("sigmaNs")],
    ["bound", spread("boundNs")],
  ];
  if (tally.hasTruth) {
    facts.push(["true error", spread("errorNs")], ["within bound", withinText(tally)]);
  }
  const rows = facts.map(([name, text]) => `<dt>${name}</dt><dd>${escaped(text)}</dd>`);
  return `<dl>${rows.join("")}</dl>`;
}

/** All hosts together: distributions, how honest sigma is, and one window with its points. */
function allPart({ tally, shot }: Outcome): string {
  const curve = (name: string, column: "sigmaNs" | "boundNs" | "errorNs") => ({
    name,
    sizesNs: curveOf(tally.sorted(column)),
  });
  const curves = [curve("sigma", "sigmaNs"), curve("bound", "boundNs")];
  if (tally.hasTruth) curves.push(curve("|error|", "errorNs"));
  const pictures = [distributionChart("at most so much, share of the estimates", curves)];
  const coverage = tally.coverageCurve;
  if (coverage.length > 0) {
    pictures.push(coverageChart("share within k sigma", coverage));
  }
  if (shot) pictures.push(windowChart(`one window, ${shot.from} to ${shot.to}`, shot));
  const note = shot
    ? "The window: points are what single probes show above and below the fitted offset (the line " +
      "in the middle, around which other lines are drawn larger); dashes are the fastest probes."
    : "";
  return `<h2>All hosts</h2><div class="pictures">${pictures.join("\n")}</div><p>${note}</p>`;
}

function curveOf(sorted: Float64Array): number[] {
  if (sorted.length === 0) return [];
  return Array.from({ length: CURVE_POINTS }, (_, i) => quantile(sorted, (i + 0.5) / CURVE_POINTS));
}

function hostsPart({ plan, tally }: Outcome): string {
  const parts: string[] = ["<h2>Hosts</h2>"];
  const others = plan.hosts.map((host, i) => ({ id: host.id, i, tally: tally.hosts[i] }));
  const judged = others.filter(({ i }) => i !== plan.reference);
  for (const host of judged.slice(0, HOSTS_DRAWN)) {
    const pictures = host.tally.atS.length > 0 ? charts(host.tally, tally.hasTruth) : [];
    const text = pictures.length > 0 ? pictures.join("") : "<p>No estimate: no fit reached it.</p>";
    parts.push(`<h3>${escaped(host.id)}</h3><div class="pictures">${text}</div>`);
  }
  const head = ["host", "estimates", "sigma p50", "p99", "bound p50", "p99"];
  if (tally.hasTruth) head.push("|error| p50", "p99");
  const rows = judged.map(({ id, tally: host }) => [
    escaped(id),
    String(host.atS.length),
    ...spreadCells(host.sigmaNs),
    ...spreadCells(host.boundNs),
    ...(tally.hasTruth ? spreadCells(host.errorNs) : []),
  ]);
  return parts.concat(table(head, rows)).join("\n");
}

function charts(host: HostTally, hasTruth: boolean): string[] {
  const { atS, sigmaNs, boundNs, freqPpb, edgeCount, errorNs } = host;
  const uncertain = [
    { name: "sigma", atS, values: sigmaNs },
    { name: "bound", atS, values: boundNs },
  ];
  const frequency = [{ name: "frequency", atS, values: freqPpb }];
  const ppb = (value: number) => `${value.toFixed(0)} ppb`;
  const whole = (value: number) => (Number.isInteger(value) ? String(value) : "");
  const out = [
    lineChart({ title: "uncertainty", series: uncertain, unit: duration, decades: true }),
    lineChart({ title: "reference's rate against the host's", series: frequency, unit: ppb }),
    lineChart({
      title: "edges",
      series: [{ name: "edges", atS, values: edgeCount }],
      unit: whole,
    }),
  ];
  if (hasTruth) {
    const series = [{ name: "error", atS, values: errorNs }];
    out.push(lineChart({ title: "estimate - truth", series, unit: signedDuration }));
  }
  return out;
}

function spreadCells(values: readonly number[]): string[] {
  const known = values.map(Math.abs).filter((value) => !Number.isNaN(value));
  const sorted = Float64Array.from(known).sort();
  return [duration(quantile(sorted, 0.5)), duration(quantile(sorted, 0.99))];
}

function edgesPart({ plan, tally }: Outcome): string {
  const head = ["edge", "windows", "kept", "loss", "min delay", "residual", "weight", "left out"];
  const largest = tally.edges.reduce((most, edge) => Math.max(most, meanResidualNs(edge)), 0);
  const rows = tally.edges.map((edge) => {
    const name = `${plan.hosts[edge.a].id} - ${plan.hosts[edge.b].id}`;
    return edgeCells(name, edge, 2 * largest);
  });
  const note =
    "Windows: trusted of all. Min delay: there and back, against the fitted line. Residual: mean of " +
    "what the edge says beyond the mesh, with its size over time. Weight: what robustness left of it.";
  return `<h2>Edges</h2><p>${note}</p>${table(head, rows)}`;
}

const meanResidualNs = (edge: EdgeTally): number =>
  edge.solvedCount === 0 ? 0 : Math.abs(edge.residualNsSum / edge.solvedCount);

function edgeCells(name: string, edge: EdgeTally, topNs: number): string[] {
  const { fitCount, solvedCount, weights, residualsNs } = edge;
  const mean = (sum: number, n: number) => (n === 0 ? Number.NaN : sum / n);
  const percent = (share: number) => (Number.isNaN(share) ? "-" : percentText(share));
  const reasons = [...edge.reasons.values()].map((r) => `${escaped(r.text)} (${r.count}x)`);
  const sizes = residualsNs.map(Math.abs);
  const none = fitCount === 0;
  return [
    escaped(name),
    `${fitCount}/${fitCount + edge.distrustCount}`,
    percent(mean(edge.keptShareSum, fitCount)),
    percent(mean(edge.lossSum, fitCount)),
    none ? "-" : `${duration(edge.delayForwardNsMin)} / ${duration(edge.delayReverseNsMin)}`,
    signedDuration(mean(edge.residualNsSum, solvedCount)) +
      sparkline(sizes, topNs, `size of the residual of ${name} over time`),
    (solvedCount === 0 ? "-" : mean(edge.weightSum, solvedCount).toFixed(2)) +
      sparkline(weights, 1, `weight of ${name} over time`),
    reasons.join("<br>"),
  ];
}

/** A table that scrolls by itself where the page is narrow. Cells are HTML. */
function table(head: readonly string[], rows: readonly string[][]): string {
  const cells = (tag: string, row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  const body = rows.map((row) => cells("td", row)).join("\n");
  return `<div class="wide"><table>${cells("th", head)}\n${body}</table></div>`;
}
