/**
 * The truth beside a recording, for judging only: no estimate ever sees it.
 *
 * `truth.csv` says what a host's and the reference's free-running clocks show at the same instants;
 * between them the reference is interpolated linearly on the host's axis.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Estimate, TracePlan } from "@ttcs/simulator";
import { readText, TraceFault } from "./trace-folder.ts";

const HEADER = "host,host_ns,reference_ns";

interface Line {
  readonly hostBaseNs: bigint;
  readonly referenceBaseNs: bigint;
  /** Since the bases, rising (ns). */
  readonly hostNs: number[];
  readonly referenceNs: number[];
}

/** See the module head. */
export class Truth {
  readonly #lines: ReadonlyMap<number, Line>;

  constructor(lines: ReadonlyMap<number, Line>) {
    this.#lines = lines;
  }

  /** Estimated minus true reference (ns); undefined where the truth is not told. */
  errorNs(estimate: Estimate): number | undefined {
    const line = this.#lines.get(estimate.host);
    if (!line) return undefined;
    const { hostNs, referenceNs } = line;
    const at = Number(estimate.hostNs - line.hostBaseNs);
    let low = 0;
    let high = hostNs.length - 1;
    if (high < 1 || at < hostNs[0] || at > hostNs[high]) return undefined;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (hostNs[middle] <= at) low = middle;
      else high = middle;
    }
    const share = (at - hostNs[low]) / (hostNs[high] - hostNs[low]);
    const trueNs = referenceNs[low] + share * (referenceNs[high] - referenceNs[low]);
    return Number(estimate.referenceNs - line.referenceBaseNs) - estimate.earlierNs - trueNs;
  }
}

/** Reads `truth.csv` when there is one. */
export function openTruth(folder: string, plan: TracePlan): Truth | undefined {
  const file = join(folder, "truth.csv");
  return existsSync(file) ? truthOf(readText(file), file, plan) : undefined;
}

/** The truth in the text of a file. */
export function truthOf(text: string, file: string, plan: TracePlan): Truth {
  const index = new Map(plan.hosts.map(({ id }, i) => [id, i]));
  const lines = new Map<number, Line>();
  const rows = text.split(/\r?\n/);
  const fault = (at: number, reason: string) =>
    new TraceFault(`${file}: line ${at + 1}: ${reason}: ${JSON.stringify(rows[at].slice(0, 60))}`);
  if (rows[0] !== HEADER) throw fault(0, `no header ${HEADER}`);
  for (let at = 1; at < rows.length; at++) {
    if (rows[at] === "" && at === rows.length - 1) break;
    const [id, hostText, referenceText, ...more] = rows[at].split(",");
    const whole = /^\d{1,19}$/;
    if (more.length > 0 || !whole.test(hostText) || !whole.test(referenceText)) {
      throw fault(at, "not a host and two whole numbers");
    }
    const host = index.get(id);
    if (host === undefined) throw fault(at, "an unknown host");
    const hostNs = BigInt(hostText);
    const referenceNs = BigInt(referenceText);
    let line = lines.get(host);
    if (!line) {
      line = { hostBaseNs: hostNs, referenceBaseNs: referenceNs, hostNs: [], referenceNs: [] };
      lines.set(host, line);
    }
    const sinceBaseNs = Number(hostNs - line.hostBaseNs);
    if (sinceBaseNs <= (line.hostNs.at(-1) ?? -1)) throw fault(at, "not later than the row before");
    line.hostNs.push(sinceBaseNs);
    line.referenceNs.push(Number(referenceNs - line.referenceBaseNs));
  }
  return new Truth(lines);
}
