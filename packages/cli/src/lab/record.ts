/**
 * Makes a probe trace of what the agents of a laboratory recorded.
 *
 * Problem: a recording of real probes with real kernel stamps, beside the truth, is what an estimator
 * is to be judged by. Approach: each agent has written down every flush that it sent to a neighbour,
 * so both stamps of each probe are there, each in the file of the host that took it. They are joined
 * by probe number and put in the order of sending, for which the truth says what the kernel's clock
 * showed at each sender's stamp. The truth itself goes into a file of its own.
 *
 * What a trace holds are the stamps as the agents carried them to raw clocks: their carry's errors are
 * in it, as they would be in a recording on real hosts. Memory: some 60 bytes per probe.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type DirectedEdge, RecordedStamps } from "./record-stamps.ts";

/** The truth is written down this often (ns): its straight lines are good to 0.1 ns. */
const TRUTH_EVERY_NS = 500_000_000n;
/** Rows are written in chunks of about this length (characters). */
const CHUNK = 1 << 20;
/** The clock's rate is taken over this (ns) to find the kernel's instants of stamps. */
const RATE_SPAN_NS = 1_000_000_000n;

/** One host of the recording. */
export interface RecordedHost {
  readonly id: string;
  readonly region: string;
  readonly clockQuality: number;
}

/** The true raw clock of one host; see `HostTruth`. */
export interface RawTruth {
  rawAt(kernelRawNs: bigint): bigint;
  kernelAt(rawNs: bigint): bigint;
}

/** What a trace came to. */
export interface TraceCounts {
  /** Rows: probes with both stamps. */
  readonly probes: number;
  /** Stamps without a partner: lost probes, and those whose other end was not recorded. */
  readonly unmatched: number;
  /** Messages at the end of a file that a kill has torn, left out. */
  readonly torn: number;
  readonly edges: number;
}

/**
 * Makes an empty folder for recordings out of `dir`: an earlier one in it is removed.
 *
 * @returns true when there was an earlier one
 * @throws Error with what to do, for the command line
 */
export function prepareRecording(dir: string): boolean {
  try {
    makeFolder(dir);
    const names = readdirSync(dir);
    for (const name of names) {
      if (name.endsWith(".flushes") || name === "trace.json") rmSync(join(dir, name));
    }
    return names.includes("trace.json") || names.includes("probes.csv");
  } catch (error) {
    throw new Error(`--record ${dir}: ${whyNot(dir, error as NodeJS.ErrnoException)}`);
  }
}

/** Makes one folder, not those above it: a slip of the pen shall not grow a tree. */
function makeFolder(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    accessSync(dir, constants.W_OK | constants.X_OK);
    return;
  }
  mkdirSync(dir);
}

function whyNot(dir: string, { code, message }: NodeJS.ErrnoException): string {
  const parent = dirname(dir);
  if (code === "EEXIST" || code === "ENOTDIR") return "is no folder; give another one";
  if (code === "ENOENT" && !existsSync(parent)) {
    return `there is no folder ${parent}; make it first: mkdir -p ${parent}`;
  }
  if (code === "EACCES" || code === "EPERM") {
    return "permission denied; give a folder in which you may write";
  }
  return `cannot be made: ${message.split(",")[0]}; give another folder`;
}

/**
 * Joins the files of all hosts in `dir` to a probe trace there and removes them. The first host is the
 * reference. `trace.json` comes last: a folder without it is no trace.
 *
 * @throws Error when a file is damaged or the disk is full
 */
export function assembleTrace(
  dir: string,
  hosts: readonly RecordedHost[],
  truthOf: (id: string) => RawTruth,
): TraceCounts {
  const stamps = new RecordedStamps();
  for (const { id } of hosts) stamps.read(dir, id);
  const rows = new Rows();
  const edges = new Set<string>();
  const clocks = new Map(hosts.map(({ id }) => [id, linesOf(truthOf(id), stamps.zeroOf(id))]));
  const place = new Map(hosts.map(({ id }, i) => [id, i]));
  for (const { from, to, edge } of stamps.edges()) {
    const before = rows.length;
    rows.join(edge, place.get(from)!, place.get(to)!, clocks.get(from)!);
    const ends = [from, to].sort((a, b) => place.get(a)! - place.get(b)!);
    if (rows.length > before) edges.add(ends.join("\n"));
  }
  const order = rows.order();
  writeProbes(dir, hosts, stamps, rows, order);
  if (rows.length > 0) {
    const [first, last] = [order[0], order[rows.length - 1]].map((i) =>
      BigInt(Math.round(rows.kernelNs[i])),
    );
    writeTruth(dir, hosts, truthOf, first, last);
  }
  const trace = {
    version: 1,
    reference: hosts[0].id,
    timestamping: "kernel",
    hosts: hosts.map((h) => ({ id: h.id, region: h.region, clock_quality: h.clockQuality })),
    edges: [...edges].map((ends) => ends.split("\n")),
  };
  writeFileSync(join(dir, "trace.json"), `${JSON.stringify(trace)}\n`);
  for (const { id } of hosts) rmSync(join(dir, `${id}.flushes`), { force: true });
  const { tornCount: torn } = stamps;
  return { probes: rows.length, unmatched: rows.unmatched, torn, edges: edges.size };
}

/** Finds the kernel's instant (ns) of a stamp (ns since the host's zero). */
type KernelLine = (stampNs: number) => number;

/** A clock's rate changes by less than 100 ppb: a line per second errs by less than 100 ns. */
function linesOf(truth: RawTruth, zeroRawNs: bigint): KernelLine {
  const knots: number[] = [];
  const knotAt = (i: number): number => {
    for (let k = knots.length; k <= i; k++) {
      knots.push(Number(truth.kernelAt(zeroRawNs + BigInt(k) * RATE_SPAN_NS)));
    }
    return knots[i];
  };
  return (stampNs) => {
    const spans = stampNs / Number(RATE_SPAN_NS);
    const i = Math.floor(spans);
    return knotAt(i) + (knotAt(i + 1) - knotAt(i)) * (spans - i);
  };
}

/** All probes with both stamps, as columns. */
class Rows {
  length = 0;
  unmatched = 0;
  from = new Uint16Array(0);
  to = new Uint16Array(0);
  probe = new Float64Array(0);
  txNs = new Float64Array(0);
  rxNs = new Float64Array(0);
  /** The kernel's raw clock at the sender's stamp (ns). */
  kernelNs = new Float64Array(0);

  /** Adds the probes of a directed edge whose stamps are both there, each once. */
  join({ sent, received }: DirectedEdge, from: number, to: number, clock: KernelLine): void {
    this.#reserve(Math.min(sent.length, received.length));
    const [sentOrder, receivedOrder] = [sent.order(), received.order()];
    const before = this.length;
    for (let i = 0, j = 0; i < sentOrder.length && j < receivedOrder.length; ) {
      const [s, r] = [sentOrder[i], receivedOrder[j]];
      const probe = sent.probe[s];
      if (probe < received.probe[r]) i++;
      else if (probe > received.probe[r]) j++;
      else {
        const at = this.length++;
        this.from[at] = from;
        this.to[at] = to;
        this.probe[at] = probe;
        this.txNs[at] = sent.ns[s];
        this.rxNs[at] = received.ns[r];
        this.kernelNs[at] = clock(sent.ns[s]);
        while (i < sentOrder.length && sent.probe[sentOrder[i]] === probe) i++;
        while (j < receivedOrder.length && received.probe[receivedOrder[j]] === probe) j++;
      }
    }
    this.unmatched += sent.length + received.length - 2 * (this.length - before);
  }

  /** The order of sending. */
  order(): Uint32Array {
    const { kernelNs } = this;
    return Uint32Array.from({ length: this.length }, (_, i) => i).sort(
      (a, b) => kernelNs[a] - kernelNs[b],
    );
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.probe.length) return;
    const wide = (column: Float64Array) => {
      const grown = new Float64Array(2 * needed);
      grown.set(column);
      return grown;
    };
    const narrow = (column: Uint16Array) => {
      const grown = new Uint16Array(2 * needed);
      grown.set(column);
      return grown;
    };
    this.from = narrow(this.from);
    this.to = narrow(this.to);
    this.probe = wide(this.probe);
    this.txNs = wide(this.txNs);
    this.rxNs = wide(this.rxNs);
    this.kernelNs = wide(this.kernelNs);
  }
}

function writeProbes(
  dir: string,
  hosts: readonly RecordedHost[],
  stamps: RecordedStamps,
  rows: Rows,
  order: Uint32Array,
): void {
  const zeros = hosts.map(({ id }) => stamps.zeroOf(id));
  const csv = new CsvFile(join(dir, "probes.csv"), "from,to,pair,slot,tx_ns,rx_ns");
  for (const i of order) {
    const [from, to, probe] = [rows.from[i], rows.to[i], rows.probe[i]];
    const tx = zeros[from] + BigInt(rows.txNs[i]);
    const rx = zeros[to] + BigInt(rows.rxNs[i]);
    const slot = probe % 2;
    csv.add(`${hosts[from].id},${hosts[to].id},${(probe - slot) / 2},${slot},${tx},${rx}`);
  }
  csv.close();
}

function writeTruth(
  dir: string,
  hosts: readonly RecordedHost[],
  truthOf: (id: string) => RawTruth,
  firstNs: bigint,
  lastNs: bigint,
): void {
  const csv = new CsvFile(join(dir, "truth.csv"), "host,host_ns,reference_ns");
  const [reference, ...others] = hosts.map(({ id }) => ({ id, truth: truthOf(id) }));
  // One instant beyond the last probe, so that every probe lies between two.
  for (let at = firstNs; at < lastNs + TRUTH_EVERY_NS; at += TRUTH_EVERY_NS) {
    const referenceNs = reference.truth.rawAt(at);
    for (const { id, truth } of others) csv.add(`${id},${truth.rawAt(at)},${referenceNs}`);
  }
  csv.close();
}

/** Writes lines in large chunks. */
class CsvFile {
  readonly #fd: number;
  #text: string;

  constructor(path: string, header: string) {
    this.#fd = openSync(path, "w");
    this.#text = `${header}\n`;
  }

  add(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length >= CHUNK) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    // Unlike writeSync it goes on after a part.
    writeFileSync(this.#fd, this.#text);
    this.#text = "";
  }
}
