/** `ttcs replay` as an outsider sees it: files in, files out, exit status, one line on stderr. */
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Trace } from "@ttcs/simulator";
import { afterAll, expect, test } from "vitest";

const dir = mkdtempSync(join(tmpdir(), "ttcs-replay-"));
afterAll(() => rmSync(dir, { recursive: true }));

const trace = new Trace({ seed: 3, scenario: "S2", hosts: 4, seconds: 6, pairsPerSecond: 40 });
const ids = trace.plan.hosts.map(({ id }) => id);
const header = {
  version: 1,
  reference: ids[0],
  timestamping: "hardware",
  hosts: ids.map((id) => ({ id, region: "r0", clock_quality: 1 })),
  edges: trace.plan.edges.map(([a, b]) => [ids[a], ids[b]]),
};
const lines = ["from,to,pair,slot,tx_ns,rx_ns"];
const truth = ["host,host_ns,reference_ns"];
const stamp = (host: number, ns: number) => String(trace.zeros[host] + BigInt(Math.round(ns)));
trace.run(
  (from, to, pair, slot, tx, rx) =>
    lines.push([ids[from], ids[to], pair, slot, stamp(from, tx), stamp(to, rx)].join(",")),
  (host, ns, referenceNs) =>
    truth.push([ids[host], stamp(host, ns), stamp(0, referenceNs)].join(",")),
);
const csv = (rows: readonly string[]) => `${rows.join("\n")}\n`;

let folders = 0;
/** Writes a recording; undefined leaves a file out. */
function folderOf(files: Record<string, string | Buffer | undefined>): string {
  const folder = join(dir, `trace${folders++}`);
  mkdirSync(folder);
  const all = { "trace.json": JSON.stringify(header, null, 1), "probes.csv": csv(lines), ...files };
  for (const [name, text] of Object.entries(all)) {
    if (text !== undefined) writeFileSync(join(folder, name), text);
  }
  return folder;
}

function replay(...args: string[]) {
  const ttcs = join(import.meta.dirname, "../../bin/ttcs.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [ttcs, "replay", ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

test("a recording becomes estimates, a summary and a report; packed or not makes no difference", () => {
  const folder = folderOf({ "truth.csv": csv(truth) });
  const [out, report] = [join(dir, "all.csv"), join(dir, "all.html")];
  const { status, stdout, stderr } = replay(folder, "--out", out, "--report", report);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/rows {7}5760; odd ones skipped: none/);
  expect(stdout).toMatch(/within the bound: 100 % of \d+/);
  const estimates = readFileSync(out, "utf8").split("\n");
  expect(estimates[0]).toBe("host,host_ns,reference_ns,freq_ppb,sigma_ns,bound_ns");
  expect(estimates[1]).toMatch(/^h01,\d+,\d+\.\d{3},-?\d+\.\d{3},\d+\.\d{3},\d+\.\d{3}$/);
  expect(estimates.length).toBeGreaterThan(20);
  const page = readFileSync(report, "utf8");
  expect(page).not.toMatch(/NaN|Infinity|undefined|<script|https?:\/\//);
  for (const id of ids) expect(page).toContain(id);
  const paper = join(dir, "paper.csv");
  expect(replay(folder, "--out", paper, "--method", "paper")).toMatchObject({ status: 0 });
  expect(readFileSync(paper, "utf8")).not.toBe(estimates.join("\n"));
  const packed = folderOf({ "probes.csv": undefined, "probes.csv.gz": gzipSync(csv(lines)) });
  expect(replay(packed, "--out", join(dir, "packed.csv")).status).toBe(0);
  expect(readFileSync(join(dir, "packed.csv"), "utf8")).toBe(estimates.join("\n"));
});

test("a recording that breaks off gives the beginning of the estimates", () => {
  const out = (rows: readonly string[]) => {
    expect(
      replay(folderOf({ "probes.csv": csv(rows) }), "--out", join(dir, "cut.csv")).status,
    ).toBe(0);
    return readFileSync(join(dir, "cut.csv"), "utf8");
  };
  const whole = out(lines);
  const half = out(lines.slice(0, 3_333));
  expect(half.split("\n").length).toBeGreaterThan(5);
  expect(whole.startsWith(half)).toBe(true);
});

test("odd rows are skipped, counted and named", () => {
  const rows = lines.flatMap((line, i) => (i === 2_000 ? [line, line] : [line]));
  rows.splice(3_000, 0, rows[3_000].replace(/^(h\d\d),h\d\d/, "$1,$1"));
  const { status, stdout } = replay(
    folderOf({ "probes.csv": csv(rows) }),
    "--out",
    join(dir, "odd.csv"),
  );
  expect(status).toBe(0);
  expect(stdout).toContain(
    "odd ones skipped: 1 of an edge that trace.json does not know, 1 doubled",
  );
});

const withLine = (text: string, at = 100) => csv(lines.toSpliced(at, 1, text));
const json = (change: object) => ({
  "trace.json": JSON.stringify({ ...header, ...change }, null, 1),
});

test.each<[string, Record<string, string | Buffer | undefined>, RegExp]>([
  [
    "a field too few",
    { "probes.csv": withLine("h00,h01,1,0,5") },
    /probes\.csv: line 101: 5 fields in place of 6: "h00,h01,1,0,5"/,
  ],
  [
    "a field too many",
    { "probes.csv": withLine("h00,h01,1,0,5,6,7") },
    /line 101: 7 fields in place of 6/,
  ],
  ["an empty line", { "probes.csv": withLine("") }, /line 101: 1 field in place of 6: ""/],
  [
    "an unknown sender",
    { "probes.csv": withLine("hXX,h01,1,0,5,6") },
    /line 101: from is an unknown host: "hXX"/,
  ],
  [
    "an unknown receiver",
    { "probes.csv": withLine("h00,h0,1,0,5,6") },
    /line 101: to is an unknown host: "h0"/,
  ],
  [
    "a pair that is no number",
    { "probes.csv": withLine("h00,h01,one,0,5,6") },
    /line 101: pair is no whole number from 0 up: "one"/,
  ],
  [
    "a negative pair",
    { "probes.csv": withLine("h00,h01,-1,0,5,6") },
    /line 101: pair is no whole number from 0 up: "-1"/,
  ],
  [
    "a huge pair",
    { "probes.csv": withLine(`h00,h01,${"9".repeat(16)},0,5,6`) },
    /line 101: pair has more than 15 digits/,
  ],
  [
    "slot 2",
    { "probes.csv": withLine("h00,h01,1,2,5,6") },
    /line 101: slot is neither 0 nor 1: "2"/,
  ],
  [
    "slot 01",
    { "probes.csv": withLine("h00,h01,1,01,5,6") },
    /line 101: slot is neither 0 nor 1: "01"/,
  ],
  [
    "a fraction",
    { "probes.csv": withLine("h00,h01,1,0,5.5,6") },
    /line 101: tx_ns is no whole number from 0 up: "5\.5"/,
  ],
  ["an empty stamp", { "probes.csv": withLine("h00,h01,1,0,5,") }, /line 101: rx_ns is empty/],
  [
    "a stamp of 2^63",
    { "probes.csv": withLine("h00,h01,1,0,5,9223372036854775808") },
    /line 101: rx_ns is not below 2\^63: "9223372036854775808"/,
  ],
  [
    "a stamp of 30 digits",
    { "probes.csv": withLine(`h00,h01,1,0,${"1".repeat(30)},6`) },
    /line 101: tx_ns is not below 2\^63/,
  ],
  [
    "no header",
    { "probes.csv": csv(lines.slice(1)) },
    /line 1: no header from,to,pair,slot,tx_ns,rx_ns: "h0/,
  ],
  ["an empty file", { "probes.csv": "" }, /probes\.csv: line 1: no header .*: the file is empty/],
  [
    "a last line that breaks off",
    { "probes.csv": csv(lines).slice(0, -25) },
    /line 5761: the file breaks off, 5 fields in place of 6/,
  ],
  [
    "a last stamp that breaks off",
    { "probes.csv": csv(lines).slice(0, -4) },
    /line 5761: rx_ns breaks off with the file/,
  ],
  ["no probes", { "probes.csv": undefined }, /probes\.csv: cannot be read: ENOENT/],
  ["no trace.json", { "trace.json": undefined }, /trace\.json: cannot be read: ENOENT/],
  [
    "a packed file cut short",
    { "probes.csv": undefined, "probes.csv.gz": gzipSync(csv(lines)).subarray(0, 20_000) },
    /probes\.csv\.gz: line \d+: cannot be read further: unexpected end of file/,
  ],
  [
    "no packed file at all",
    { "probes.csv": undefined, "probes.csv.gz": "plain text" },
    /probes\.csv\.gz: line 1: cannot be read further: incorrect header check/,
  ],
  [
    "broken JSON",
    { "trace.json": '{\n "version": 1,\n oops' },
    /trace\.json: line 3: no JSON: .*"oops"/,
  ],
  [
    "JSON that ends too early",
    { "trace.json": '{\n "version": 1,' },
    /trace\.json: line 2: no JSON: /,
  ],
  ["another version", json({ version: 2 }), /trace\.json: line 2: version is not 1: 2/],
  [
    "unknown stamping",
    json({ timestamping: "quartz" }),
    /trace\.json: line 4: timestamping is not hardware, kernel or user: "quartz"/,
  ],
  [
    "an unknown reference",
    json({ reference: "h77" }),
    /line 3: reference is an unknown host: "h77"/,
  ],
  [
    "an edge to nowhere",
    json({ edges: [["h00", "h99"]] }),
    /line \d+: an edge names an unknown host: "h99"/,
  ],
  [
    "a broken truth",
    { "truth.csv": "host,host_ns,reference_ns\nh01,1,x\n" },
    /truth\.csv: line 2: not a host and two whole numbers: "h01,1,x"/,
  ],
])("%s ends with status 2, one line, and no file", (_, files, message) => {
  const out = join(dir, "none", "estimates.csv");
  mkdirSync(join(dir, "none"), { recursive: true });
  const { status, stdout, stderr } = replay(
    folderOf(files),
    "--out",
    out,
    "--report",
    `${out}.html`,
  );
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd()).not.toContain("\n");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(readdirSync(join(dir, "none"))).toEqual([]);
});

test.each([
  [
    "a method that does not exist",
    ["TRACE", "--out", "OUT", "--method", "magic"],
    /--method "magic": give default or paper/,
  ],
  ["no --out", ["TRACE"], /give the file for the estimates/],
  ["no trace", ["--out", "OUT"], /give the folder of a trace/],
  [
    "a folder that does not exist",
    [join(dir, "nowhere"), "--out", "OUT"],
    /trace\.json: cannot be read: ENOENT/,
  ],
  [
    "an --out that cannot be written",
    ["TRACE", "--out", join(dir, "no/such/out.csv")],
    /cannot be written: ENOENT/,
  ],
  [
    "a --report that cannot be written",
    ["TRACE", "--out", "OUT", "--report", dir],
    /cannot be written: EISDIR/,
  ],
  [
    "one file for both",
    ["TRACE", "--out", "OUT", "--report", "OUT"],
    /--out and --report are one file/,
  ],
  [
    "one file for both by two names",
    ["TRACE", "--out", "OUT", "--report", join(dir, ".", "..", basename(dir), "unwritten.csv")],
    /--out and --report are one file/,
  ],
  [
    "an --out that is the recording",
    ["TRACE", "--out", "TRACE/../TRACE/probes.csv"],
    /is probes\.csv of the recording; give another file/,
  ],
  [
    "a --report that is the truth",
    ["TRACE", "--out", "OUT", "--report", "TRACE/truth.csv"],
    /--report .* is truth\.csv of the recording/,
  ],
])("%s ends with status 2 and one line", (_, args, message) => {
  const out = join(dir, "unwritten.csv");
  const folder = folderOf({});
  const names = { TRACE: folder, "../TRACE": `../${basename(folder)}`, OUT: out };
  const given = args.map((arg) =>
    arg.replace(/(\.\.\/)?TRACE|OUT/g, (name) => names[name as keyof typeof names]),
  );
  const { status, stderr } = replay(...given);
  expect(stderr).not.toContain(".tmp");
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd()).not.toContain("\n");
  expect(status).toBe(2);
  expect(readdirSync(dir).filter((name) => name.startsWith("unwritten"))).toEqual([]);
});

test("a link to the recording is the recording", () => {
  const folder = folderOf({});
  const link = join(dir, "link.csv");
  symlinkSync(join(folder, "probes.csv"), link);
  expect(replay(folder, "--out", link)).toMatchObject({ status: 2 });
  expect(readFileSync(join(folder, "probes.csv"), "utf8")).toBe(csv(lines));
});

test.each([
  [
    "one way only",
    (line: string) => !/^h0[1-3],h00|^h0[23],h01|^h03,h02/.test(line),
    /in the order/,
  ],
  ["a second of rows", (_: string, i: number) => i < 1_100, /could not be used: only \d\.\d s of/],
])("%s gives no estimates, status 1 and the reason", (_, keep, message) => {
  const out = join(dir, "nothing.csv");
  const { status, stderr } = replay(
    folderOf({ "probes.csv": csv(lines.filter(keep)) }),
    "--out",
    out,
  );
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd()).not.toContain("\n");
  expect(status).toBe(1);
});

test("a reader of standard output that has enough ends it without a word", () => {
  const ttcs = join(import.meta.dirname, "../../bin/ttcs.js");
  const command = `"$0" "$1" replay "$2" --out /dev/stdout | head -2; echo "$?"`;
  const args = ["-c", command, process.execPath, ttcs, folderOf({})];
  const { stdout, stderr } = spawnSync("bash", ["-o", "pipefail", ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^host,host_ns.*\nh01,.*\n0\n$/);
});
