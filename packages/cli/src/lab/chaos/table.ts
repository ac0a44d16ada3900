/** Chaos for people: a line while a deed is done, a line when it is over, a table at the end. */
import Table from "cli-table3";
import pc from "picocolors";
import { duration } from "../../units-text.ts";
import { type DeedResult, figureLabel } from "./verdict.ts";

/** What the others showed beside the bars, in one line. */
export function resultLine(result: DeedResult): string {
  const { deed, skipped, failed, figures, ok } = result;
  if (skipped !== undefined) return `${pc.yellow("skipped")}  ${deed}: ${skipped}`;
  if (failed !== undefined || !figures) return `${pc.red("failed ")}  ${deed}: ${failed}`;
  const { p99_before_ns, p99_ns, max_error_ns, polls_per_s, agentq_runs } = figures;
  const { moved_ns: most, moved_least_ns: least, moved_before_ns: before } = figures;
  const undisturbed = before === null ? "" : ` (${duration(before)} in as long before)`;
  const moved =
    most === null ? "" : `, moved ${duration(least)} to ${duration(most)}${undisturbed}`;
  return [
    `${ok ? pc.green("ok     ") : pc.red("MISSED ")}  ${deed}: p99 ${duration(p99_before_ns)} before, ${duration(p99_ns)} after, max ${duration(max_error_ns)}${moved}`,
    `polled ${polls_per_s?.toFixed(1) ?? "-"} times a second and host, ttcs-agentq now ${agentq_runs} times`,
  ].join("; ");
}

/** A line for each sample outside of its bound. */
export const outsideLines = ({ outside = [] }: DeedResult): string =>
  outside
    .map(
      (o) =>
        `         OUTSIDE of its bound: ${o.host}, ${o.state}, ${o.at_s.toFixed(2)} s after: error ${duration(o.true_error_ns)}, bound ${duration(o.bound_ns)}\n`,
    )
    .join("");

/** Width of what is expected (characters). */
const EXPECTED_WIDTH = 34;

/** Every bar of every deed. */
export function chaosTable(results: readonly DeedResult[]): string {
  const colours = pc.isColorSupported && process.stdout.isTTY;
  const table = new Table({
    head: ["deed", "expected", "figure", "measured", "bar", "ok"],
    style: { head: colours ? ["bold"] : [], border: colours ? ["grey"] : [], compact: true },
    colAligns: ["left", "left", "left", "right", "right", "left"],
  });
  for (const { deed, expected, skipped, failed, verdicts } of results) {
    const words = wrapped(expected, EXPECTED_WIDTH);
    if (skipped !== undefined || failed !== undefined) {
      const why = skipped !== undefined ? `skipped: ${skipped}` : `failed: ${failed}`;
      table.push([deed, { content: why, colSpan: 4 }, failed === undefined ? "-" : pc.red("NO")]);
      continue;
    }
    for (let i = 0; i < Math.max(words.length, verdicts.length); i++) {
      const { figure, measured = "", bar = "", ok } = verdicts[i] ?? {};
      const mark = ok === undefined ? "" : ok ? pc.green("yes") : pc.red("NO");
      const label = figure === undefined ? "" : figureLabel(figure);
      table.push([i === 0 ? deed : "", words[i] ?? "", label, measured, bar, mark]);
    }
  }
  return table.toString();
}

/** A text in lines of at most `width` characters, broken between words. */
function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

/** How many hosts are in which state: "11 LOCKED, 1 away". */
export function statesText(states: readonly (string | undefined)[]): string {
  const words = states.map((state) => state ?? "away");
  return [...new Set(words)]
    .map((word) => `${words.filter((w) => w === word).length} ${word}`)
    .join(", ");
}
