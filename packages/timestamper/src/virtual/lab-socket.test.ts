import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStamps } from "../columns.ts";
import {
  byProbe,
  drainUntil,
  keysBetween,
  probeSocketContract,
  type SocketPair,
  stampedPair,
} from "../contract.ts";
import { KernelClockReader } from "../kernel/clock-reader.ts";
import { createCounters, openKernelProbeSocket } from "../kernel/probe-socket.ts";
import type { LinkConditions, ProbeSocket, StampColumns } from "../types.ts";
import { VirtualSystemClock } from "./clock.ts";
import { CLEAR_LINK, FakeKernel, labOptions } from "./fake-kernel.ts";
import { LabProbeSocket } from "./lab-socket.ts";
import { probeDelayNs } from "./links.ts";
import { virtualTruth } from "./truth.ts";

const folder = mkdtempSync(join(tmpdir(), "ttcs-socket-"));
afterAll(() => rmSync(folder, { recursive: true }));

function openPair(link: LinkConditions): SocketPair {
  const reader = new KernelClockReader();
  const { rawNs, systemNs } = reader.read();
  const lab = labOptions(folder, { startKernelRawNs: rawNs, startUnixNs: systemNs, link });
  const clock = new VirtualSystemClock(lab, reader);
  const openOne = (): ProbeSocket =>
    new LabProbeSocket(
      openKernelProbeSocket({ address: "127.0.0.1", port: 0, isFiltered: false }),
      clock,
      lab,
    );
  const [a, b] = [openOne(), openOne()];
  const close = (): void => {
    a.close();
    b.close();
    clock.close();
  };
  a.setKeys(keysBetween(1, [2]));
  b.setKeys(keysBetween(2, [1]));
  return { a, b, close };
}

let keeper: SocketPair | undefined;
beforeAll(async () => {
  keeper = await stampedPair(() => openPair(CLEAR_LINK));
});
afterAll(() => keeper?.close());

probeSocketContract("simulated", () => openPair(CLEAR_LINK));
probeSocketContract("simulated, slow link", () =>
  openPair({ ...CLEAR_LINK, baseDelayNs: 2e6, jitterNs: 1e5 }),
);

/** A socket that receives what the test puts into it. */
class FakeSocket implements ProbeSocket {
  readonly port = 319;
  readonly counters = createCounters();
  readonly arriving: { peer: number; probe: number; systemNs: bigint }[] = [];
  setIdentity(): void {}
  setKeys(): void {}
  sendPairs(): void {}
  close(): void {}
  drain(_sent: StampColumns, received: StampColumns): void {
    for (const { peer, probe, systemNs } of this.arriving.splice(0)) {
      const at = received.length++;
      received.peer[at] = peer;
      received.probe[at] = probe;
      received.systemNs[at] = systemNs;
      this.counters.received++;
    }
  }
}

function openFake(link: LinkConditions): {
  inner: FakeSocket;
  kernel: FakeKernel;
  clock: VirtualSystemClock;
  socket: LabProbeSocket;
  lab: ReturnType<typeof labOptions>;
} {
  const inner = new FakeSocket();
  const kernel = new FakeKernel();
  const lab = labOptions(mkdtempSync(join(folder, "fake-")), { link });
  const clock = new VirtualSystemClock(lab, kernel);
  const socket = new LabProbeSocket(inner, clock, lab);
  socket.setIdentity({ domainNumber: 117, hostNumber: 2 });
  return { inner, kernel, clock, socket, lab };
}

describe("a socket of the laboratory", () => {
  test("holds a probe back until it has arrived, and stamps it with the clock of that instant", () => {
    const link = { ...CLEAR_LINK, baseDelayNs: 5e6, jitterNs: 1e6 };
    const { inner, kernel, clock, socket, lab } = openFake(link);
    const sentNs = kernel.nowNs;
    const received = createStamps(4);
    inner.arriving.push({ peer: 1, probe: 40, systemNs: kernel.realAt(sentNs) });
    socket.drain(createStamps(4), received);
    expect(received.length).toBe(0);
    clock.step(1_000_000_000);
    kernel.nowNs += 50_000_000n;
    socket.drain(createStamps(4), received);
    expect(received.length).toBe(1);
    const delayNs = probeDelayNs(link, lab.seed, 1, 2, 40);
    const trueNs = virtualTruth(lab).systemAt(sentNs + BigInt(Math.round(delayNs)));
    expect(Math.abs(Number(received.systemNs[0] - trueNs))).toBeLessThan(20);
    expect([received.peer[0], received.probe[0]]).toEqual([1, 40]);
  });

  test("leaves lost probes out of stamps and counters", () => {
    const link = { ...CLEAR_LINK, loss: 0.25 };
    const { inner, kernel, socket, lab } = openFake(link);
    const received = createStamps(4);
    const expected = [];
    for (let probe = 0; probe < 200; probe++) {
      inner.arriving.push({ peer: 1, probe, systemNs: kernel.realAt(kernel.nowNs) });
      if (!Number.isNaN(probeDelayNs(link, lab.seed, 1, 2, probe))) expected.push(`1/${probe}`);
    }
    socket.drain(createStamps(4), received);
    kernel.nowNs += 1_000_000n;
    socket.drain(createStamps(4), received);
    expect([...byProbe(received).keys()].sort()).toEqual(expected.sort());
    expect(expected.length).toBeLessThan(180);
    expect(socket.counters).toMatchObject({
      received: expected.length,
      injectedLoss: 200 - expected.length,
    });
  });

  test("drops stamps that no line of the kernel's clocks explains", () => {
    const { inner, kernel, socket } = openFake(CLEAR_LINK);
    const received = createStamps(4);
    const tooOldNs = kernel.realAt(kernel.nowNs - 3_600_000_000_000n);
    inner.arriving.push({ peer: 1, probe: 1, systemNs: tooOldNs });
    socket.drain(createStamps(4), received);
    expect(received.length).toBe(0);
    expect(socket.counters).toMatchObject({ received: 0, receivedUnstamped: 1 });
  });

  test("asks real sockets to agree with the delay that the seed says", async () => {
    const link = { ...CLEAR_LINK, baseDelayNs: 3e6 };
    const pair = openPair(link);
    const sent = createStamps(4);
    const received = createStamps(4);
    pair.a.setIdentity({ domainNumber: 117, hostNumber: 1 });
    pair.b.setIdentity({ domainNumber: 117, hostNumber: 2 });
    const target = { hostNumber: 2, address: "127.0.0.1", port: pair.b.port };
    for (let p = 0; p < 50; p++) pair.a.sendPairs([target], [p]);
    await drainUntil(pair.a, sent, createStamps(4), () => sent.length >= 100);
    await drainUntil(pair.b, createStamps(4), received, () => received.length >= 100);
    pair.close();
    const addedNs = probeDelayNs(link, 42, 1, 2, 0);
    const sentNs = byProbe(sent);
    const extraNs = [...byProbe(received)].map(
      ([key, ns]) => Number(ns - sentNs.get(key.replace("1/", "2/"))!) - addedNs,
    );
    // Never earlier than the seed says, by more than the carry's error.
    expect(Math.min(...extraNs)).toBeGreaterThan(-50_000);
  });

  test("accounts for every probe: sent and stamped here, received or lost by the link there", async () => {
    const link = { ...CLEAR_LINK, baseDelayNs: 60_000, jitterNs: 15_000, loss: 0.1 };
    const pair = openPair({ ...link, queueLoad: 0.5, queueServiceNs: 12_000 });
    const sent = createStamps(4);
    const received = createStamps(4);
    pair.a.setIdentity({ domainNumber: 117, hostNumber: 1 });
    pair.b.setIdentity({ domainNumber: 117, hostNumber: 2 });
    const target = { hostNumber: 2, address: "127.0.0.1", port: pair.b.port };
    for (let p = 0; p < 200; p++) pair.a.sendPairs([target], [p]);
    await drainUntil(pair.a, sent, createStamps(4), () => sent.length >= 400);
    const accounted = (): number => pair.b.counters.received + pair.b.counters.injectedLoss;
    await drainUntil(pair.b, createStamps(4), received, () => accounted() >= 400);
    const { injectedLoss } = pair.b.counters;
    await drainUntil(
      pair.b,
      createStamps(4),
      received,
      () => received.length >= 400 - injectedLoss,
    );
    expect(pair.a.counters).toMatchObject({ sent: 400, sentStamped: 400, sendErrors: 0 });
    expect(accounted()).toBe(400);
    expect(pair.b.counters.injectedLoss).toBeGreaterThan(10);
    expect(received.length).toBe(pair.b.counters.received);
    pair.close();
  });
});
