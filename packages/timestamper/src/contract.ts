/**
 * What every ProbeSocket and every SystemClock must do, run against the kernel's and the simulated.
 *
 * The two sockets share one clock here, so that stamps of both ends can be compared. Waiting is by
 * polling up to a limit; nothing asserts how long something took.
 */
import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import type { EdgeKeys, ProbeKeyBytes } from "@ttcs/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createStamps, createTriples } from "./columns.ts";
import type { ProbeSocket, StampColumns, SystemClock } from "./types.ts";

const DOMAIN = 117;
const A = 11;
const B = 22;
/** A host that is dealt no keys. */
const STRANGER = 33;
const PATIENCE_MS = 3000;

/** Keys of the edges between two hosts, as one of them has them. */
export function keysBetween(own: number, others: readonly number[]): EdgeKeys[] {
  const key = (from: number, to: number) => ({
    number: 1_000 * from + to,
    key: Uint8Array.from({ length: 32 }, (_, i) => from + to * i),
  });
  return others.map((hostNumber) => ({
    hostNumber,
    send: key(own, hostNumber),
    receive: [key(hostNumber, own)],
  }));
}
/** Stamps of one clock, taken on two ways through the kernel, agree this well (ns). */
const ORDER_SLACK_NS = 50_000;

/** Two sockets on 127.0.0.1 that share a clock. */
export interface SocketPair {
  readonly a: ProbeSocket;
  readonly b: ProbeSocket;
  close(): void;
}

/** Drains until `done` or the patience ends. */
export async function drainUntil(
  socket: ProbeSocket,
  sent: StampColumns,
  received: StampColumns,
  done: () => boolean,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && !done(); waitedMs += 5) {
    socket.drain(sent, received);
    await sleep(5);
  }
}

/**
 * A pair between which stamped probes have arrived. The kernel begins to stamp what it receives some time
 * after the first socket asked for it, and ends with the last one: a pair that stays open makes tests
 * independent of what else is running.
 */
export async function stampedPair(open: () => SocketPair): Promise<SocketPair> {
  const pair = open();
  const { a, b } = pair;
  a.setIdentity({ domainNumber: DOMAIN, hostNumber: A });
  b.setIdentity({ domainNumber: DOMAIN, hostNumber: B });
  a.setKeys(keysBetween(A, [B]));
  b.setKeys(keysBetween(B, [A]));
  const [none, received] = [createStamps(4), createStamps(4)];
  const target = { hostNumber: B, address: "127.0.0.1", port: b.port };
  for (let waitedMs = 0; received.length === 0; waitedMs += 20) {
    if (waitedMs > PATIENCE_MS) throw new Error("the kernel stamps nothing");
    a.sendPairs([target], [waitedMs]);
    await sleep(20);
    b.drain(none, received);
  }
  return pair;
}

/** The stamps by peer and probe number. */
export function byProbe(columns: StampColumns): Map<string, bigint> {
  const entries = Array.from({ length: columns.length }, (_, i): [string, bigint] => [
    `${columns.peer[i]}/${columns.probe[i]}`,
    columns.systemNs[i],
  ]);
  return new Map(entries);
}

/** Value at a share of the sorted numbers. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Sends datagrams to a port of this host, one after the other. */
export async function sendAll(port: number, datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket("udp4");
  for (const datagram of datagrams) {
    await new Promise<void>((resolve) => {
      socket.send(datagram, port, "127.0.0.1", () => resolve());
    });
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

export function probeSocketContract(name: string, open: () => SocketPair): void {
  describe(`the probe socket contract, ${name}`, () => {
    let pair: SocketPair;
    let sent: StampColumns;
    let received: StampColumns;
    const none = createStamps(4);

    beforeEach(() => {
      pair = open();
      pair.a.setIdentity({ domainNumber: DOMAIN, hostNumber: A });
      pair.b.setIdentity({ domainNumber: DOMAIN, hostNumber: B });
      pair.a.setKeys(keysBetween(A, [B, B + 1, 0, 5]));
      pair.b.setKeys(keysBetween(B, [A]));
      sent = createStamps(1);
      received = createStamps(1);
    });
    afterEach(() => pair.close());

    const targetB = (): { hostNumber: number; address: string; port: number } => ({
      hostNumber: B,
      address: "127.0.0.1",
      port: pair.b.port,
    });

    test("every probe gets a stamp when sent and one when received, in this order", async () => {
      const target = targetB();
      const high = 2 ** 40;
      for (let p = 0; p < 100; p++) pair.a.sendPairs([target], [high + p]);
      await drainUntil(pair.a, sent, none, () => sent.length >= 200);
      await drainUntil(pair.b, none, received, () => received.length >= 200);
      const sentNs = byProbe(sent);
      const receivedNs = byProbe(received);
      const expected = Array.from({ length: 200 }, (_, i) => 2 * high + i);
      expect([...sentNs.keys()].sort()).toEqual(expected.map((n) => `${B}/${n}`).sort());
      expect([...receivedNs.keys()].sort()).toEqual(expected.map((n) => `${A}/${n}`).sort());
      const delaysNs = expected.map((n) =>
        Number(receivedNs.get(`${A}/${n}`)! - sentNs.get(`${B}/${n}`)!),
      );
      const second = delaysNs.filter((_, i) => i % 2 === 1);
      const gapsNs = second.map((delay, i) => Math.abs(delay - delaysNs[2 * i]));
      const show = (values: number[]): string =>
        [0.01, 0.5, 0.99].map((share) => percentile(values, share)).join("/");
      console.log(`${name}: one-way delay of 2nd probe p1/p50/p99 ${show(second)} ns`);
      console.log(`${name}: gap error of pairs p1/p50/p99 ${show(gapsNs)} ns`);
      expect(Math.min(...delaysNs)).toBeGreaterThanOrEqual(-ORDER_SLACK_NS);
      expect(pair.a.counters).toMatchObject({ sent: 200, sentStamped: 200, sendErrors: 0 });
      expect(pair.b.counters).toMatchObject({ received: 200, malformed: 0 });
    });

    test("more targets than fit one call are all served", async () => {
      const target = targetB();
      const many = Array.from({ length: 75 }, () => target);
      pair.a.sendPairs(many, Array.from(many.keys()));
      await drainUntil(pair.b, none, received, () => received.length >= 150);
      expect(byProbe(received).size).toBe(150);
    });

    test("datagrams that are no probes, or for somebody else, are counted and dropped", async () => {
      await sendAll(pair.b.port, [new Uint8Array(0), new Uint8Array(90), new Uint8Array(2000)]);
      pair.a.sendPairs([{ ...targetB(), hostNumber: B + 1 }], [1]);
      pair.a.setIdentity({ domainNumber: DOMAIN + 1, hostNumber: A });
      pair.a.sendPairs([targetB()], [2]);
      await drainUntil(pair.b, none, received, () => pair.b.counters.malformed >= 7);
      expect(pair.b.counters).toMatchObject({ malformed: 7, received: 0 });
      expect(received.length).toBe(0);
    });

    test("a host without a number accepts nothing", async () => {
      pair.b.setIdentity({ domainNumber: DOMAIN, hostNumber: 0 });
      pair.a.sendPairs([{ ...targetB(), hostNumber: 0 }], [1]);
      await drainUntil(pair.b, none, received, () => pair.b.counters.malformed >= 2);
      expect(pair.b.counters).toMatchObject({ malformed: 2, received: 0 });
    });

    test("probes that bear no right key are counted by kind, and let nobody down", async () => {
      const [edge] = keysBetween(A, [B]);
      const { send } = edge;
      const with_ = (key: ProbeKeyBytes) => pair.a.setKeys([{ ...edge, send: key }]);
      with_({ number: send!.number, key: new Uint8Array(32) });
      pair.a.sendPairs([targetB()], [1]);
      with_({ number: 7, key: send!.key });
      pair.a.sendPairs([targetB()], [1]);
      with_(send!);
      pair.a.sendPairs([targetB()], [1]);
      pair.a.sendPairs([targetB()], [1]);
      pair.a.setIdentity({ domainNumber: DOMAIN, hostNumber: STRANGER });
      pair.a.sendPairs([targetB()], [2]);
      const isAllIn = () => pair.b.counters.unknownSenders >= 2 && received.length >= 2;
      await drainUntil(pair.b, none, received, isAllIn);
      expect(pair.b.counters).toMatchObject({
        forged: 2,
        unknownKeys: 2,
        replayed: 2,
        unknownSenders: 2,
        received: 2,
      });
      expect([...byProbe(received).keys()].sort()).toEqual([`${A}/2`, `${A}/3`]);
    });

    test("without a key nothing is sent, and it is counted", async () => {
      pair.a.setKeys([]);
      pair.a.sendPairs([targetB()], [1]);
      expect(pair.a.counters).toMatchObject({ unkeyed: 2, sent: 0, sendErrors: 0 });
    });

    test("draining an empty socket returns at once with nothing", () => {
      // A call that blocked would never return: nobody sends.
      pair.b.drain(sent, received);
      expect([sent.length, received.length]).toEqual([0, 0]);
    });

    test("an address that cannot be reached is counted, not thrown, and harms no other", async () => {
      const bad = { hostNumber: 3, address: "::1", port: 9 };
      const worse = { hostNumber: 4, address: "nonsense", port: 9 };
      const broadcast = { hostNumber: 5, address: "127.255.255.255", port: 9 };
      pair.a.sendPairs([bad, worse, broadcast, targetB()], [1, 1, 1, 7]);
      await drainUntil(pair.b, none, received, () => received.length >= 2);
      expect(pair.a.counters).toMatchObject({ sendErrors: 6, sent: 2 });
      expect([...byProbe(received).keys()].sort()).toEqual([`${A}/14`, `${A}/15`]);
    });

    test("a port that nobody listens on does not disturb the socket", async () => {
      pair.b.close();
      pair.a.sendPairs([targetB()], [1]);
      pair.a.sendPairs([targetB()], [2]);
      await drainUntil(pair.a, sent, received, () => sent.length >= 4);
      expect(byProbe(sent).size).toBe(4);
      expect(received.length).toBe(0);
    });
  });
}

export function systemClockContract(name: string, open: () => SystemClock): void {
  describe(`the system clock contract, ${name}`, () => {
    let clock: SystemClock;
    beforeEach(() => {
      clock = open();
    });
    afterEach(() => clock.close());

    test("the system reading of a triple lies between two raw ones, and raw never goes back", () => {
      const triples = createTriples(1);
      clock.readTriples(500, triples);
      clock.readTriples(500, triples);
      expect(triples.length).toBe(1000);
      let lastNs = 0n;
      for (let i = 0; i < triples.length; i++) {
        expect(triples.rawBeforeNs[i]).toBeGreaterThanOrEqual(lastNs);
        expect(triples.rawAfterNs[i]).toBeGreaterThanOrEqual(triples.rawBeforeNs[i]);
        lastNs = triples.rawAfterNs[i];
      }
      expect(clock.read().rawNs).toBeGreaterThanOrEqual(lastNs);
      const widths = Array.from(triples.rawAfterNs, (after, i) =>
        Number(after - triples.rawBeforeNs[i]),
      );
      console.log(
        `${name}: bracket p1/p50/p99 ${[0.01, 0.5, 0.99].map((p) => percentile(widths, p)).join("/")} ns`,
      );
    });

    test("a reading agrees with the triples around it", () => {
      const triples = createTriples(2);
      clock.readTriples(1, triples);
      const { rawNs, systemNs, kernelRawNs, errorBoundNs } = clock.read();
      clock.readTriples(1, triples);
      const seenNs = Number(systemNs - triples.systemNs[0]);
      const slackNs = 500 + errorBoundNs;
      expect(kernelRawNs).toBeGreaterThan(0n);
      expect(seenNs).toBeGreaterThanOrEqual(
        Number(rawNs - triples.rawAfterNs[0]) * 0.999 - slackNs,
      );
      expect(seenNs).toBeLessThanOrEqual(Number(rawNs - triples.rawBeforeNs[0]) * 1.001 + slackNs);
      expect(systemNs).toBeLessThanOrEqual(triples.systemNs[1] + BigInt(slackNs));
    });

    test("the status is within the kernel's limits", () => {
      const { freqPpb, maxErrorNs, estErrorNs } = clock.readStatus();
      expect(Math.abs(freqPpb)).toBeLessThanOrEqual(500_000);
      expect(maxErrorNs).toBeGreaterThanOrEqual(0);
      expect(maxErrorNs).toBeLessThanOrEqual(16e9);
      expect(estErrorNs).toBeGreaterThanOrEqual(0);
    });
  });
}
