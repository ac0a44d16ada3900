import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TtcsError } from "@ttcs/units";
import { describe, expect, test } from "vitest";
import { byProbe, keysBetween } from "./contract.ts";
import { KernelClockReader } from "./kernel/clock-reader.ts";
import { openTimestamper } from "./timestamper.ts";
import type { LabOptions, StampColumns, Timestamper, TimestamperBatch } from "./types.ts";

const DOMAIN = 117;

interface Host {
  readonly timestamper: Timestamper;
  readonly batches: TimestamperBatch[];
  readonly faults: Error[];
}

async function openHost(pacingSeed: number, lab?: LabOptions): Promise<Host> {
  const batches: TimestamperBatch[] = [];
  const faults: Error[] = [];
  const options = { address: "127.0.0.1", port: 0, pacingSeed, ...(lab && { lab }) };
  const timestamper = await openTimestamper(
    options,
    (batch) => batches.push(batch),
    (error) => faults.push(error),
  );
  return { timestamper, batches, faults };
}

/** Lets two hosts probe each other at 50 pairs per second until the first has heard 60 probes. */
async function converse(a: Host, b: Host): Promise<void> {
  const pairs: [Host, Host, number, number][] = [
    [a, b, 1, 2],
    [b, a, 2, 1],
  ];
  for (const [from, to, own, other] of pairs) {
    from.timestamper.setIdentity({ domainNumber: DOMAIN, hostNumber: own });
    from.timestamper.setKeys(keysBetween(own, [other]));
    const port = to.timestamper.probePort;
    from.timestamper.setTargets([{ hostNumber: other, address: "127.0.0.1", port }], 50);
  }
  for (let i = 0; i < 500 && (a.batches.at(-1)?.counters.received ?? 0) < 60; i++) await sleep(10);
  await b.timestamper.close();
  await sleep(100);
  await a.timestamper.close();
}

const stampsOf = (host: Host, column: "sent" | "received"): Map<string, bigint> =>
  new Map(host.batches.flatMap((batch) => [...byProbe(batch[column] as StampColumns)]));

describe("the timestamper", () => {
  test("carries probes between two hosts and hands their stamps over in batches", async () => {
    const [a, b] = await Promise.all([openHost(1), openHost(2)]);
    const reading = await a.timestamper.read();
    expect(reading.rawNs).toBeGreaterThanOrEqual(a.timestamper.startRawNs);
    await converse(a, b);
    const sent = stampsOf(b, "sent");
    const received = stampsOf(a, "received");
    expect(received.size).toBeGreaterThanOrEqual(60);
    let matched = 0;
    for (const [key, receivedNs] of received) {
      const sentNs = sent.get(key.replace("2/", "1/"));
      if (sentNs === undefined) continue;
      matched++;
      expect(receivedNs).toBeGreaterThanOrEqual(sentNs - 50_000n);
    }
    // The last batch of b may be lost at its end.
    expect(matched).toBeGreaterThanOrEqual(received.size - 20);
    for (const batch of a.batches) expect(batch.triples.length).toBeGreaterThanOrEqual(2);
    const closings = a.batches.map(({ rawNs }) => rawNs);
    expect(closings).toEqual([...closings].sort((x, y) => (x < y ? -1 : 1)));
    expect([...a.faults, ...b.faults]).toEqual([]);
  });

  test("after closing, requests are refused and no batch comes", async () => {
    const { timestamper, batches, faults } = await openHost(1);
    // While this thread is held up, batches queue; they come after the call of close.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    const count = batches.length;
    await timestamper.close();
    await expect(timestamper.read()).rejects.toThrow("ended");
    await sleep(120);
    expect(batches.length).toBe(count);
    expect(faults).toEqual([]);
    await timestamper.close();
  });

  test("a fault at opening keeps its code and fields across the threads", async () => {
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address();
    const options = { address: "127.0.0.1", port, pacingSeed: 1 };
    const opening = openTimestamper(
      options,
      () => {},
      () => {},
    );
    const fault = await opening.catch((error: unknown) => error);
    taken.close();
    expect(fault).toBeInstanceOf(TtcsError);
    expect(fault).toMatchObject({ code: "PROBE_SOCKET", fields: { address: "127.0.0.1", port } });
  });

  test("in a laboratory it steers a virtual clock, and the machine's stays as it is", async () => {
    const stateDir = mkdtempSync(join(tmpdir(), "ttcs-lab-"));
    const kernel = new KernelClockReader().read();
    const lab = (index: number): LabOptions => ({
      seed: 7,
      index,
      stateDir,
      startKernelRawNs: kernel.rawNs,
      startUnixNs: kernel.systemNs,
      timeDaemon: false,
      link: {
        baseDelayNs: 1e5,
        jitterNs: 1e4,
        loss: 0,
        asymmetryNs: 0,
        asymmetricShare: 0,
        queueLoad: 0,
        queueServiceNs: 0,
        spikeShare: 0,
        spikeNs: 0,
      },
    });
    const [a, b] = await Promise.all([openHost(1, lab(0)), openHost(2, lab(1))]);
    const before = await a.timestamper.read();
    const writtenNs = await a.timestamper.step(1_000_000_000);
    await a.timestamper.adjustFrequency(12_345);
    const after = await a.timestamper.read();
    expect(writtenNs).toBeGreaterThanOrEqual(before.rawNs);
    const steppedNs = Number(after.systemNs - before.systemNs - (after.rawNs - before.rawNs));
    expect(Math.abs(steppedNs - 1e9)).toBeLessThan(1e6);
    await converse(a, b);
    expect(a.batches.at(-1)!.status.freqPpb).toBe(12_345);
    expect(stampsOf(a, "received").size).toBeGreaterThanOrEqual(60);
    rmSync(stateDir, { recursive: true });
  });
});
