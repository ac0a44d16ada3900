/** The live table of a laboratory on a terminal, and the summary at the end. */
import Table from "cli-table3";
import pc from "picocolors";
import { duration, signedDuration } from "../units-text.ts";
import { accuracyLines } from "./accuracy-lines.ts";
import { costsText } from "./costs.ts";
import type { LabSummary, ProcessCost, Sample } from "./figures.ts";
import type { CrossTraffic } from "./lab-file.ts";
import type { Sight } from "./observer.ts";
import type { LabHost } from "./plan.ts";
import type { TraceCounts } from "./record.ts";

/** One row of the table. */
export interface Row {
  readonly host: LabHost;
  readonly sample: Sample | undefined;
  readonly sight: Sight | undefined;
}

const colours: Readonly<Record<string, (text: string) => string>> = {
  LOCKED: pc.green,
  ACQUIRING: pc.yellow,
  HOLDOVER: pc.magenta,
};

const HEAD = ["host", "state", "offset", "bound", "true error", "neighbours"];
/** Width of the table but for the text of its last column, at most (characters). */
const BARE_WIDTH = 80;
/** A remark narrower than this says nothing (characters). */
const REMARK_WIDTH_MIN = 12;

/** Lines of the table that are no hosts: three borders, the head, both lines below, the cursor. */
const FRAME_LINES = 7;

/** Size of a terminal (characters, lines). */
export interface ScreenSize {
  readonly columns: number;
  readonly lines: number;
}

/**
 * The table as text, no larger than the screen: remarks go where there is room, and of more hosts
 * than there are lines the worst are shown.
 */
export function tableText(rows: readonly Row[], elapsedS: number, size: ScreenSize): string {
  const { columns } = size;
  const [shown, rest] = worstRows(rows, Math.max(1, size.lines - FRAME_LINES));
  const remarkWidth = columns - BARE_WIDTH;
  const remarks = remarkWidth >= REMARK_WIDTH_MIN;
  const table = new Table({
    head: remarks ? [...HEAD, "remark"] : HEAD,
    style: { head: ["bold"], border: ["grey"], compact: true },
    colAligns: ["left", "left", "right", "right", "right", "right", "left"],
  });
  for (const { host, sample, sight } of shown) {
    const state = stateOf({ sample });
    const neighbours = sight?.status.neighbours ?? [];
    const good = neighbours.filter((n) => n.distrust === "").length;
    const row = [
      host.id + (sight?.status.role === "reference" ? " (reference)" : ""),
      (colours[state] ?? pc.red)(state),
      signedDuration(sample?.reportedOffsetNs),
      duration(sample?.boundNs),
      signedDuration(sample?.trueErrorNs),
      `${good}/${neighbours.length}`,
    ];
    const remark = (sight?.status.reason ?? "").slice(0, remarkWidth);
    table.push(remarks ? [...row, remark] : row);
  }
  const more = rest.length > 0 ? `\n${restText(rest)}` : "";
  return `${table.toString()}${more}\n${elapsedS.toFixed(0)} s; Ctrl-C ends`;
}

const stateOf = ({ sample }: Pick<Row, "sample">): string => sample?.state ?? "starting";

/** How much a host needs to be seen: any that is not LOCKED, then by |true error| / bound. */
function badness(row: Row): number {
  if (stateOf(row) !== "LOCKED") return Infinity;
  const { trueErrorNs, boundNs } = row.sample!;
  return trueErrorNs === null || boundNs === null ? 0 : Math.abs(trueErrorNs) / boundNs;
}

/** The worst `count` rows, in their usual order, and the others. */
function worstRows(rows: readonly Row[], count: number): [Row[], Row[]] {
  const worst = new Set([...rows].sort((a, b) => badness(b) - badness(a) || 0).slice(0, count));
  return [rows.filter((r) => worst.has(r)), rows.filter((r) => !worst.has(r))];
}

/** "and 20 more, all LOCKED", or how many are in which state. */
function restText(rows: readonly Row[]): string {
  const states = rows.map(stateOf);
  const kinds = [...new Set(states)];
  if (kinds.length === 1) return `and ${rows.length} more, all ${kinds[0]}`;
  const counts = kinds.map((kind) => `${states.filter((s) => s === kind).length} ${kind}`);
  return `and ${rows.length} more: ${counts.join(", ")}`;
}

/** Redraws a text in place on a terminal; silent elsewhere. */
export class Screen {
  #lines = 0;

  draw(text: string): void {
    if (!process.stdout.isTTY) return;
    // Back to the first line of the last drawing, and clear from there.
    const back = this.#lines > 0 ? `\x1b[${this.#lines}A\x1b[0J` : "";
    process.stdout.write(`${back}${text}\n`);
    this.#lines = text.split("\n").length;
  }

  /** Takes away what was drawn: what is printed next stays. */
  clear(): void {
    if (!process.stdout.isTTY || this.#lines === 0) return;
    process.stdout.write(`\x1b[${this.#lines}A\x1b[0J`);
    this.#lines = 0;
  }
}

/** The summary for people. */
export function summaryText(s: LabSummary): string {
  const p = s.true_error_ns;
  const lockTimes = Object.values(s.seconds_to_locked);
  const late = lockTimes.filter((t) => t === null).length;
  const slowest = Math.max(...lockTimes.map((t) => t ?? 0));
  const locked =
    late === 0 ? `all LOCKED after ${slowest} s` : `${late} of ${s.hosts} never LOCKED`;
  const share =
    s.within_bound_share === null ? "-" : `${(s.within_bound_share * 100).toFixed(2)} %`;
  const pull = s.domain_minus_reference_ns;
  const cpu = s.processes.reduce((sum, c) => sum + c.cpu_seconds, 0);
  const settled = `from second ${s.settled_after_s} on`;
  const within = `truth within the bound: ${share} of ${s.samples} samples`;
  const figures =
    s.seconds < s.settled_after_s
      ? [within, `figures begin at second ${s.settled_after_s}`]
      : [
          `true error to domain time, ${settled}: p50 ${duration(p.p50)}, p90 ${duration(p.p90)}, p99 ${duration(p.p99)}, max ${duration(p.max)}`,
          `${within}; bound p50 ${duration(s.bound_ns.p50)}, p99 ${duration(s.bound_ns.p99)}`,
          `|domain - the reference's system clock|: p50 ${duration(pull.p50)}, max ${duration(pull.max)}`,
        ];
  return [
    `${s.hosts} hosts, ${s.seconds} s, seed ${s.seed}: ${locked}`,
    ...figures,
    ...accuracyLines(s),
    `processor: ${(cpu / s.seconds).toFixed(2)} cores in all, start included; memory: ${memoryText(s.processes)}`,
    ...(s.costs ? [costsText(s.costs)] : []),
  ].join("\n");
}

/** "server 81 MB, agents 97 to 99 MB": the server and others by name, agents by their span. */
function memoryText(processes: readonly ProcessCost[]): string {
  const isAgent = ({ id }: ProcessCost) => /^h\d+$/.test(id);
  const named = processes.filter((p) => !isAgent(p)).map((p) => `${p.id} ${p.memory_mb} MB`);
  const agents = processes.filter(isAgent).map((p) => p.memory_mb);
  if (agents.length === 0) return named.join(", ");
  return [...named, `agents ${Math.min(...agents)} to ${Math.max(...agents)} MB`].join(", ");
}

/** One line on cross traffic, if there was any. */
export function trafficText(traffic: CrossTraffic | undefined): string {
  if (traffic === undefined) return "";
  const { hosts, mbit_per_s, dropped } = traffic;
  return `cross traffic: ${mbit_per_s} Mbit/s really sent to ${hosts.join(" and ")} each, ${dropped} frames dropped by the shapers\n`;
}

/** One line on a recording, if there is one. */
export function recordText(dir: string | undefined, counts: TraceCounts | undefined): string {
  if (!dir || !counts) return "";
  const { probes, edges, unmatched } = counts;
  return `recorded in ${dir}: ${probes} probes on ${edges} edges; ${unmatched} stamps without a partner\n`;
}
