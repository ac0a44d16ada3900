/**
 * Recordings that `ttcs replay` reads: `trace.json`, `probes.csv` and `truth.csv` in one input, with a
 * byte of 0x1e between them. What is read is replayed.
 */
import { Replay, Trace } from "@ttcs/simulator";
import type { Prng } from "@ttcs/units";
import { ESTIMATES_HEADER, estimateRow } from "../../../packages/cli/src/replay/estimate-row.ts";
import { ProbeCsv } from "../../../packages/cli/src/replay/probe-csv.ts";
import { planOf, TraceFault } from "../../../packages/cli/src/replay/trace-folder.ts";
import { truthOf } from "../../../packages/cli/src/replay/truth.ts";
import { changeJson } from "../json.ts";
import { ByteMutator } from "../mutate.ts";
import { below, chance, type FuzzTarget, must, pick } from "../target.ts";

const SEPARATOR = 0x1e;
/** The rows are read in pieces of this length (bytes), so that some lines are torn. */
const CHUNK_BYTES = 1_000;
/** Of a hundred inputs, so many have rows that are well-formed and wrong; of the others, another plan. */
const ROWS_PERCENT = 60;
const PLAN_PERCENT = 30;
/** Most rows that are changed. */
const ROWS_MAX = 20;
/**
 * A replay costs by the time that a recording spans, and one changed digit may make minutes of silence
 * of it, every round of which is solved.
 */
const LIMIT_MS = 500;
const FIELDS = ESTIMATES_HEADER.trim().split(",").length;
const WORDS = [
  ",",
  "\n",
  "\r\n",
  "0",
  "1",
  "9223372036854775807",
  "9223372036854775808",
  "h0",
  "-",
  "1e9",
  ".5",
];
const ORDINARY = /^line \d+: [^\n]*$/;

/** The same lines: some with another digit or field, some doubled, left out or elsewhere. */
function otherRows(from: Uint8Array, random: Prng): Uint8Array {
  const lines = Buffer.from(from).toString("latin1").split("\n");
  for (let i = below(random, ROWS_MAX); i >= 0 && lines.length > 1; i--) {
    const at = below(random, lines.length);
    const line = lines[at];
    const kind = below(random, 8);
    if (kind === 0) lines.splice(at, 1);
    else if (kind === 1) lines.splice(below(random, lines.length), 0, line);
    else if (kind === 2) {
      const other = pick(random, lines).split(",");
      const field = below(random, 6);
      lines[at] = line
        .split(",")
        .map((text, f) => (f === field ? (other[f] ?? text) : text))
        .join(",");
    } else {
      const digits = [...line.matchAll(/\d/g)].map(({ index }) => index);
      if (digits.length === 0) continue;
      const d = pick(random, digits);
      lines[at] = `${line.slice(0, d)}${below(random, 10)}${line.slice(d + 1)}`;
    }
  }
  return Buffer.from(lines.join("\n"), "latin1");
}

/** A short recording: enough for a round or two. */
function recording(seed: number): Uint8Array {
  const trace = new Trace({ seed, scenario: "S2", hosts: 3, seconds: 2.7, pairsPerSecond: 12 });
  const ids = trace.plan.hosts.map(({ id }) => id);
  const stamp = (host: number, ns: number) => String(trace.zeros[host] + BigInt(Math.round(ns)));
  const plan = {
    version: 1,
    reference: ids[0],
    timestamping: "hardware",
    hosts: ids.map((id) => ({ id, region: "r0", clock_quality: 1 })),
    edges: trace.plan.edges.map(([a, b]) => [ids[a], ids[b]]),
  };
  const rows = ["from,to,pair,slot,tx_ns,rx_ns"];
  const truth = ["host,host_ns,reference_ns"];
  trace.run(
    (from, to, pair, slot, txNs, rxNs) => {
      rows.push([ids[from], ids[to], pair, slot, stamp(from, txNs), stamp(to, rxNs)].join(","));
    },
    (host, ns, referenceNs) => {
      truth.push([ids[host], stamp(host, ns), stamp(0, referenceNs)].join(","));
    },
  );
  const parts = [
    JSON.stringify(plan, null, 1),
    ...[rows, truth].map((lines) => `${lines.join("\n")}\n`),
  ];
  return Buffer.from(parts.join(String.fromCharCode(SEPARATOR)));
}

export function traceTarget(): FuzzTarget {
  const mutator = new ByteMutator(WORDS);
  return {
    cases: 10_000,
    limitMs: LIMIT_MS,
    seeds: [1, 2].map(recording),
    mutate(random, pool) {
      const from = pool[below(random, pool.length)];
      if (chance(random, ROWS_PERCENT)) return otherRows(from, random);
      if (!chance(random, PLAN_PERCENT)) return mutator.mutate(random, pool);
      const [plan, ...rest] = Buffer.from(from).toString("latin1").split("\x1e");
      try {
        const other = JSON.stringify(changeJson(JSON.parse(plan), random));
        return Buffer.from([other, ...rest].join("\x1e"), "latin1");
      } catch {
        return mutator.change(random, from, pool);
      }
    },
    run(input) {
      const [plan, rows = Buffer.alloc(0), truth] = sections(Buffer.from(input));
      try {
        replay(plan.toString(), rows, truth?.toString());
        return true;
      } catch (error) {
        if (!(error instanceof TraceFault)) throw error;
        must(!/\p{Cc}/u.test(error.message), "a fault that is not one line");
        return false;
      }
    },
  };
}

function replay(planText: string, rows: Buffer, truthText: string | undefined): void {
  const plan = planOf(planText, "trace.json");
  const truth = truthText === undefined ? undefined : truthOf(truthText, "truth.csv", plan);
  const run = new Replay(plan, "default", ({ estimates }) => {
    for (const estimate of estimates) {
      const row = estimateRow(plan.hosts[estimate.host].id, estimate);
      must(row.split(",").length === FIELDS && !/NaN|Infinity/.test(row), `an estimate "${row}"`);
      truth?.errorNs(estimate);
    }
  });
  const csv = new ProbeCsv(plan, {
    setBase: (host, baseRawNs) => run.setBase(host, baseRawNs),
    probe: (...row) => run.probe(...row),
  });
  for (let at = 0; at <= rows.length; at += CHUNK_BYTES) {
    const isLast = at + CHUNK_BYTES > rows.length;
    const fault = csv.push(rows.subarray(at, at + CHUNK_BYTES)) ?? (isLast ? csv.end() : undefined);
    if (fault === undefined) continue;
    must(ORDINARY.test(fault), `a fault that is not one line: ${fault}`);
    throw new TraceFault(fault);
  }
}

function sections(input: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let end = input.indexOf(SEPARATOR); end >= 0; end = input.indexOf(SEPARATOR, from)) {
    parts.push(input.subarray(from, end));
    from = end + 1;
  }
  return [...parts, input.subarray(from)];
}
