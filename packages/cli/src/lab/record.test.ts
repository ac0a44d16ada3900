import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import { ExchangeFlushSchema, packStamps } from "@ttcs/protocol";
import type { LabOptions } from "@ttcs/timestamper";
import { Prng } from "@ttcs/units";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assembleTrace, prepareRecording } from "./record.ts";
import { HostTruth } from "./truth.ts";

const START = 77_000_000_000_000n;
const ROUND_NS = 500_000_000;
const ROUNDS = 8;
const HOSTS = ["h1", "h2", "h3"].map((id, i) => ({ id, region: "r", clockQuality: 10 - i }));
/** Delay of every probe (ns). */
const DELAY_NS = 10_000n;

/** One probe as it happened, by the kernel's clock. */
interface Probe {
  readonly from: number;
  readonly to: number;
  readonly number: number;
  readonly sentNs: bigint;
  readonly lost: boolean;
}

/** Coded pairs on all directed edges, in no order; one probe in twenty is lost. */
function traffic(): Probe[] {
  const random = new Prng(7);
  const probes: Probe[] = [];
  for (let from = 0; from < 3; from++) {
    for (let to = 0; to < 3; to++) {
      for (let pair = 0; from !== to && pair < 100; pair++) {
        const at = START + 3_000_000_000n + BigInt(Math.floor((pair + random.uniform()) * 35e6));
        for (const slot of [0, 1]) {
          const sentNs = at + BigInt(slot * 10_000);
          const number = 2 * (pair + 1_000_000) + slot;
          probes.push({ from, to, number, sentNs, lost: random.uniform() < 0.05 });
        }
      }
    }
  }
  return probes;
}

describe("a recording", () => {
  let dir: string;
  let truths: HostTruth[];
  let probes: Probe[];
  const truthOf = (id: string) => truths[HOSTS.findIndex((h) => h.id === id)];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "ttcs-record-"));
    truths = HOSTS.map((_, index) => {
      const lab = { seed: 5, index, stateDir: "/none", startKernelRawNs: START, startUnixNs: 0n };
      return new HostTruth({ ...lab, timeDaemon: false } as LabOptions);
    });
    probes = traffic();
    for (let host = 0; host < 3; host++) writeFlushes(host);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** What the agent of `host` would have recorded; some stamps are told twice. */
  function writeFlushes(host: number): void {
    const rawAt = (kernelNs: bigint) => truths[host].rawAt(kernelNs);
    for (let round = 0; round < ROUNDS + 6; round++) {
      const close = START + BigInt((round + 1) * ROUND_NS);
      const baseRawNs = rawAt(close) - 2_000_000_000n;
      for (let other = 0; other < 3; other++) {
        if (other === host) continue;
        // Each stamp belongs to the round that it falls in, and one in a while to the next as well.
        const isDue = (kernelNs: bigint, number: number) => {
          const age = Number(close - kernelNs) / ROUND_NS;
          return (age >= 0 && age < 1) || (number % 50 === 0 && age >= 1 && age < 2);
        };
        const column = (list: readonly Probe[], stampAt: (p: Probe) => bigint) => {
          const due = list.filter((p) => isDue(stampAt(p), p.number));
          const numbers = Float64Array.from(due, (p) => p.number);
          const ns = Float64Array.from(due, (p) => Number(rawAt(stampAt(p)) - baseRawNs));
          return packStamps(numbers, ns, due.length);
        };
        const out = probes.filter((p) => p.from === host && p.to === other);
        const back = probes.filter((p) => p.from === other && p.to === host && !p.lost);
        const flush = create(ExchangeFlushSchema, {
          fromHost: 10 + host,
          toHost: 10 + other,
          baseRawNs,
          sent: column(out, (p) => p.sentNs),
          received: column(back, (p) => p.sentNs + DELAY_NS),
        });
        const file = join(dir, `${HOSTS[host].id}.flushes`);
        appendFileSync(file, sizeDelimitedEncode(ExchangeFlushSchema, flush));
      }
    }
  }

  const linesOf = (name: string) =>
    readFileSync(join(dir, name), "utf8")
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((l) => l.split(","));

  test("becomes a trace of every probe that arrived, once, with the stamps of both ends", () => {
    const counts = assembleTrace(dir, HOSTS, truthOf);
    const arrived = probes.filter((p) => !p.lost);
    expect(counts).toMatchObject({ probes: arrived.length, edges: 3, torn: 0 });
    expect(arrived.length).toBeLessThan(probes.length);
    const expected = [...arrived]
      .sort((a, b) => Number(a.sentNs - b.sentNs))
      .map((p) => [
        HOSTS[p.from].id,
        HOSTS[p.to].id,
        `${Math.floor(p.number / 2)}`,
        `${p.number % 2}`,
        `${truths[p.from].rawAt(p.sentNs)}`,
        `${truths[p.to].rawAt(p.sentNs + DELAY_NS)}`,
      ]);
    expect(linesOf("probes.csv")).toEqual(expected);
    expect(readFileSync(join(dir, "probes.csv"), "utf8")).toMatch(
      /^from,to,pair,slot,tx_ns,rx_ns\n/,
    );
  });

  test("says what the hosts are, and what their raw clocks truly showed meanwhile", () => {
    assembleTrace(dir, HOSTS, truthOf);
    expect(JSON.parse(readFileSync(join(dir, "trace.json"), "utf8"))).toEqual({
      version: 1,
      reference: "h1",
      timestamping: "kernel",
      hosts: HOSTS.map((h) => ({ id: h.id, region: "r", clock_quality: h.clockQuality })),
      edges: expect.arrayContaining([
        ["h1", "h2"],
        ["h1", "h3"],
        ["h2", "h3"],
      ]),
    });
    const rows = linesOf("truth.csv");
    const instants = new Set(rows.map(([, , reference]) => reference));
    expect(rows.length).toBe(2 * instants.size);
    expect(instants.size).toBeGreaterThan(6);
    for (const [host, hostNs, referenceNs] of rows) {
      const kernelNs = truths[0].kernelAt(BigInt(referenceNs));
      expect(Math.abs(Number(truthOf(host).rawAt(kernelNs) - BigInt(hostNs)))).toBeLessThan(3);
    }
    expect(readdirSync(dir).sort()).toEqual(["probes.csv", "trace.json", "truth.csv"]);
  });

  test("a message that was torn at the end is left out; a host that never spoke has no rows", () => {
    rmSync(join(dir, "h3.flushes"));
    appendFileSync(join(dir, "h2.flushes"), Buffer.from([200, 1, 9, 9]));
    const counts = assembleTrace(dir, HOSTS, truthOf);
    expect(counts).toMatchObject({ edges: 1, torn: 1 });
    expect(new Set(linesOf("probes.csv").map(([from]) => from))).toEqual(new Set(["h1", "h2"]));
  });

  test("numbers that a second coordinator has dealt anew are no recording", () => {
    const file = join(dir, "h3.flushes");
    const flush = create(ExchangeFlushSchema, { fromHost: 10, toHost: 11 });
    appendFileSync(file, sizeDelimitedEncode(ExchangeFlushSchema, flush));
    expect(() => assembleTrace(dir, HOSTS, truthOf)).toThrow("belongs to h1 as well");
    expect(existsSync(join(dir, "trace.json"))).toBe(false);
  });

  test("begins in an empty folder", () => {
    assembleTrace(dir, HOSTS, truthOf);
    expect(prepareRecording(dir)).toBe(true);
    expect(existsSync(join(dir, "trace.json"))).toBe(false);
    const fresh = join(dir, "fresh");
    expect(prepareRecording(fresh)).toBe(false);
    expect(assembleTrace(fresh, HOSTS, truthOf)).toEqual({
      probes: 0,
      unmatched: 0,
      torn: 0,
      edges: 0,
    });
  });

  test("makes one folder and no tree, and says what to do where it cannot", () => {
    const deep = join(dir, "deep", "down");
    expect(() => prepareRecording(deep)).toThrow(
      `--record ${deep}: there is no folder ${join(dir, "deep")}; make it first: mkdir -p`,
    );
    const file = join(dir, "h1.flushes");
    expect(() => prepareRecording(file)).toThrow(`--record ${file}: is no folder`);
    expect(() => prepareRecording("/proc/x")).toThrow("--record /proc/x: cannot be made: ENOENT");
  });
});
