/** The live table of a laboratory on a terminal, and the summary at the end. */
import Table from "cli-table3";
import pc from "picocolors";
import { duration, signedDuration } from "../units-text.ts";
import type { LabSummary, Sample } from "./figures.ts";
import type { Sight } from "./observer.ts";
import type { LabHost } from "./plan.ts";

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

/** The table as text, no wider than `columns` characters; remarks go where there is room. */
export function tableText(rows: readonly Row[], elapsedS: number, columns: number): string {
  const remarkWidth = columns - BARE_WIDTH;
  const remarks = remarkWidth >= REMARK_WIDTH_MIN;
  const table = new Table({
    head: remarks ? [...HEAD, "remark"] : HEAD,
    style: { head: ["bold"], border: ["grey"], compact: true },
    colAligns: ["left", "left", "right", "right", "right", "right", "left"],
  });
  for (const { host, sample, sight } of rows) {
    const state = sample?.state ?? "starting";
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
  return `${table.toString()}\n${elapsedS.toFixed(0)} s; Ctrl-C ends`;
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
  return [
    `${s.hosts} hosts, ${s.seconds} s, seed ${s.seed}: ${locked}`,
    `true error to domain time, ${settled}: p50 ${duration(p.p50)}, p90 ${duration(p.p90)}, p99 ${duration(p.p99)}, max ${duration(p.max)}`,
    `truth within the bound: ${share} of ${s.samples} samples; bound p50 ${duration(s.bound_ns.p50)}, p99 ${duration(s.bound_ns.p99)}`,
    `|domain - the reference's system clock|: p50 ${duration(pull.p50)}, max ${duration(pull.max)}`,
    `processor: ${(cpu / s.seconds).toFixed(2)} cores in all; memory: ${s.processes.map((c) => `${c.id} ${c.memory_mb} MB`).join(", ")}`,
  ].join("\n");
}
