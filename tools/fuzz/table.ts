/** The table that a run prints, and its line of progress. */
import type { Finding, Tally } from "./engine.ts";

const HEAD = [
  "target",
  "cases",
  "accepted",
  "refused",
  "crashes",
  "hangs",
  "slowest",
  "heap growth",
  "seconds",
];

/** Tallies of the same target as one. */
export function merged(tallies: readonly Tally[]): Tally[] {
  const byTarget = Map.groupBy(tallies, ({ target }) => target);
  return [...byTarget.values()].map((parts) => {
    const sum = (of: (t: Tally) => number) => parts.reduce((total, part) => total + of(part), 0);
    const most = (of: (t: Tally) => number) => Math.max(...parts.map(of));
    return {
      target: parts[0].target,
      cases: sum((t) => t.cases),
      accepted: sum((t) => t.accepted),
      refused: sum((t) => t.refused),
      findings: parts.flatMap((t) => t.findings),
      slowestMs: most((t) => t.slowestMs),
      growthBytes: most((t) => t.growthBytes),
      seconds: sum((t) => t.seconds),
      blocks: most((t) => t.blocks),
      kept: sum((t) => t.kept),
    };
  });
}

/** One line for each target. */
export function tableOf(tallies: readonly Tally[]): string {
  const isGuided = tallies.some(({ blocks }) => blocks > 0);
  const rows = tallies.map((t) => [
    t.target,
    whole(t.cases),
    whole(t.accepted),
    whole(t.refused),
    whole(countOf(t, "crash")),
    whole(countOf(t, "hang")),
    `${t.slowestMs.toFixed(1)} ms`,
    `${(t.growthBytes / 1e6).toFixed(1)} MB`,
    t.seconds.toFixed(1),
    ...(isGuided ? [whole(t.blocks), whole(t.kept)] : []),
  ]);
  const head = isGuided ? [...HEAD, "blocks", "kept"] : HEAD;
  const widths = head.map((text, c) => Math.max(text.length, ...rows.map((row) => row[c].length)));
  const line = (row: readonly string[]) =>
    row.map((text, c) => (c === 0 ? text.padEnd(widths[c]) : text.padStart(widths[c]))).join("  ");
  return [head, ...rows].map(line).join("\n");
}

/** A finding, with how to see it again. */
export function findingText({ target, kind, seed, index, detail }: Finding, file: string): string {
  return `${target}: ${kind}, seed ${seed}, case ${index}\n    ${detail}\n    npm run fuzz -- --replay ${file}`;
}

const countOf = ({ findings }: Tally, kind: Finding["kind"]): number =>
  findings.filter((f) => f.kind === kind).length;

const whole = (n: number): string => n.toLocaleString("en-GB");
