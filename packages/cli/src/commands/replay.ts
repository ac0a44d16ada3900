/**
 * `ttcs replay`: recorded probes in, estimates out.
 *
 * The rows are streamed through the replay; nothing of a failed run stays on disk. The truth, when
 * there is one, is for the summary and the report only.
 */
import { join } from "node:path";
import type { Readable } from "node:stream";
import {
  type AheadOfTruth,
  type Method,
  Replay,
  type TracePlan,
  WindowPicture,
} from "@ttcs/simulator";
import { fail, reasonOf } from "../fail.ts";
import { endQuietlyWithoutReader } from "../process-life.ts";
import { ESTIMATES_HEADER, estimateRow } from "../replay/estimate-row.ts";
import { OutFile, placeOf } from "../replay/out-file.ts";
import { ProbeCsv } from "../replay/probe-csv.ts";
import { reportHtml } from "../replay/report.ts";
import { noEstimatesText, type Outcome, summaryText } from "../replay/summary.ts";
import { Tally } from "../replay/tally.ts";
import {
  openPlan,
  openProbes,
  type ProbeFile,
  TRACE_FILES,
  TraceFault,
} from "../replay/trace-folder.ts";
import { openTruth, type Truth } from "../replay/truth.ts";

/** The command's options, as they come from the command line. */
export interface ReplayOptions {
  readonly out?: string;
  readonly method: string;
  readonly report?: string;
}

/** A line of progress is written this often (ms). */
const PROGRESS_MS = 200;

/** The report draws the first window after so long (s). */
const SHOT_AT_S = 20;

/** Files that are being written; none is left half done. */
const files: OutFile[] = [];

/** Replays a recording; ends the program with status 2 and one line when something is wrong. */
export async function runReplay(folder: string | undefined, options: ReplayOptions): Promise<void> {
  const { out, method, report } = options;
  if (folder === undefined) return end("give the folder of a trace");
  if (out === undefined) return end("give the file for the estimates: --out estimates.csv");
  if (method !== "default" && method !== "paper") {
    return end(`--method ${JSON.stringify(method)}: give default or paper`);
  }
  checkPlaces(folder, out, report);
  endQuietlyWithoutReader();
  process.once("SIGINT", () => end("interrupted", 130));
  process.once("SIGTERM", () => end("interrupted", 143));
  try {
    const plan = openPlan(folder);
    const probes = openProbes(folder);
    const truth = openTruth(folder, plan);
    const tally = new Tally(plan, truth);
    const estimates = openOut(out);
    const page = report === undefined ? undefined : openOut(report);
    const outcome = await replayAll(plan, probes, method, tally, estimates, truth);
    page?.write(reportHtml(folder, outcome));
    for (const file of files) finish(file);
    process.stdout.write(summaryText(folder, outcome));
    if (tally.estimateCount > 0) return;
    process.stderr.write(`ttcs replay: no estimates: ${noEstimatesText(tally)}\n`);
    process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof TraceFault)) throw error;
    end(error.message);
  }
}

/** Results never replace a file of the recording, nor each other. */
function checkPlaces(folder: string, out: string, report: string | undefined): void {
  const inputs = new Map(TRACE_FILES.map((name) => [placeOf(join(folder, name)), name]));
  for (const [option, path] of [["--out", out] as const, ["--report", report] as const]) {
    const input = path === undefined ? undefined : inputs.get(placeOf(path));
    if (input) end(`${option} ${path}: is ${input} of the recording; give another file`);
  }
  if (report !== undefined && placeOf(report) === placeOf(out)) {
    end("--out and --report are one file");
  }
}

async function replayAll(
  plan: TracePlan,
  probes: ProbeFile,
  method: Method,
  tally: Tally,
  estimates: OutFile,
  truth: Truth | undefined,
): Promise<Outcome> {
  write(estimates, ESTIMATES_HEADER);
  const zeros: bigint[] = plan.hosts.map(() => 0n);
  const picture = new WindowPicture(plan, zeros, SHOT_AT_S);
  const replay = new Replay(plan, method, (round) => {
    tally.add(round);
    picture.round("ours", round);
    for (const each of round.estimates)
      write(estimates, estimateRow(plan.hosts[each.host].id, each));
  });
  const csv = new ProbeCsv(plan, {
    setBase: (host, baseRawNs) => {
      zeros[host] = baseRawNs;
      replay.setBase(host, baseRawNs);
    },
    probe: (from, to, pair, slot, txNs, rxNs) => {
      // Nothing is known of a probe but that it arrived.
      picture.row(from, to, txNs, rxNs, true);
      replay.probe(from, to, pair, slot, txNs, rxNs);
    },
  });
  const fault = (what: string) => new TraceFault(`${probes.path}: ${what}`);
  const progress = new Progress(probes, csv);
  for await (const chunk of chunksOf(probes.rows, csv, fault)) {
    const problem = csv.push(chunk);
    if (problem) throw fault(problem);
    progress.tell();
  }
  const problem = csv.end();
  if (problem) throw fault(problem);
  progress.clear();
  const shot = picture.shot(truth && truthOf(truth, zeros, plan.reference));
  return { plan, method, tally, odd: replay.odd, rowCount: csv.rowCount, shot };
}

/** What a picture asks of the truth. */
function truthOf(truth: Truth, zeros: readonly bigint[], reference: number): AheadOfTruth {
  return (host, hostNs, referenceNs) => {
    const wholeNs = Math.floor(hostNs);
    const estimate = {
      host,
      hostNs: zeros[host] + BigInt(wholeNs),
      referenceNs: zeros[reference] + BigInt(Math.floor(referenceNs)),
      earlierNs: 0,
      freqPpb: 0,
      sigmaNs: 0,
      boundNs: 0,
    };
    const restNs = referenceNs - Math.floor(referenceNs) - (hostNs - wholeNs);
    return (truth.errorNs(estimate) ?? Number.NaN) + restNs;
  };
}

/** The chunks of the file; what the file system or the unpacking says becomes a fault. */
async function* chunksOf(
  rows: Readable,
  csv: ProbeCsv,
  fault: (what: string) => TraceFault,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of rows) yield chunk;
  } catch (error) {
    throw fault(`line ${csv.lineCount + 1}: cannot be read further: ${(error as Error).message}`);
  }
}

/** One line on a terminal, rewritten as the rows are read. */
class Progress {
  readonly #probes: ProbeFile;
  readonly #csv: ProbeCsv;
  #toldMs = 0;

  constructor(probes: ProbeFile, csv: ProbeCsv) {
    this.#probes = probes;
    this.#csv = csv;
  }

  tell(): void {
    const nowMs = performance.now();
    if (!process.stderr.isTTY || nowMs - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = nowMs;
    const share = this.#probes.bytesRead() / this.#probes.bytes;
    const percent = Math.min(100, Math.floor(100 * share));
    process.stderr.write(`\r\x1b[K${this.#csv.rowCount} rows read, ${percent} % of the file`);
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
}

/** What Node says names the file as well, and by its temporary name at that. */
function cannotWrite(path: string, error: unknown): TraceFault {
  // Who reads from a pipe may have enough.
  if ((error as NodeJS.ErrnoException).code === "EPIPE") dropAll(0);
  return new TraceFault(`${path}: cannot be written: ${reasonOf(error)}`);
}

function openOut(path: string): OutFile {
  try {
    const file = new OutFile(path);
    files.push(file);
    return file;
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function write(file: OutFile, text: string): void {
  try {
    file.write(text);
  } catch (error) {
    throw cannotWrite(file.path, error);
  }
}

function finish(file: OutFile): void {
  try {
    file.finish();
  } catch (error) {
    throw cannotWrite(file.path, error);
  }
}

/** Ends without a word and leaves nothing behind. */
function dropAll(exitCode: number): never {
  for (const file of files) file.drop();
  process.exit(exitCode);
}

function end(message: string, exitCode = 2): never {
  for (const file of files) file.drop();
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  return fail(`ttcs replay: ${message}`, exitCode);
}
