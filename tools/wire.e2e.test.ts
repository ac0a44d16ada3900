/**
 * What is really on the wire: a packet analyser and a decoder written from docs/protocol.md alone
 * look at probes that two timestampers exchange over loopback.
 *
 * Needs tshark and the right to capture; skipped with a line for an ordinary user.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { openTimestamper, type Timestamper } from "@ttcs/timestamper";
import { expect, test } from "vitest";
import { decodeProbeFromDocs } from "./probe-decoder.ts";

/** The manual's port: analysers know it as PTP's. */
const PORT = 319;
const DOMAIN = 117;
const FIELDS = [
  "ip.src",
  "udp.dstport",
  "ptp.v2.versionptp",
  "ptp.v2.messagetype",
  "ptp.v2.messagelength",
  "ptp.v2.majorsdoid",
  "ptp.v2.minorsdoid",
  "ptp.v2.domainnumber",
  "udp.payload",
  "_ws.malformed",
] as const;

const canCapture = process.getuid?.() === 0 && spawnSync("tshark", ["--version"]).status === 0;
if (!canCapture) console.log("skipped: needs tshark, as root");

type Packet = Readonly<Record<(typeof FIELDS)[number], string>>;

/** Starts a capture of `count` packets of our addresses; resolves once it listens. */
async function capture(count: number, packets: Packet[]): Promise<ChildProcess> {
  const filter = `udp port ${PORT} and net 127.31.9.0/24`;
  const fields = FIELDS.flatMap((f) => ["-e", f]);
  const args = ["-l", "-n", "-i", "lo", "-f", filter, "-c", `${count}`, "-T", "fields", ...fields];
  const child = spawn("tshark", args, { stdio: ["ignore", "pipe", "pipe"] });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const values = line.split("\t");
    packets.push(Object.fromEntries(FIELDS.map((f, i) => [f, values[i]])) as Packet);
  });
  await new Promise<void>((resolve, reject) => {
    child.once("exit", () => reject(new Error("tshark ended before it captured")));
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (line.includes("Capturing on")) resolve();
    });
  });
  // It says so a moment before the capture is open.
  await sleep(1_000);
  return child;
}

async function openPair(): Promise<Timestamper[]> {
  const addresses = ["127.31.9.1", "127.31.9.2"];
  const pair = await Promise.all(
    addresses.map((address) =>
      openTimestamper(
        { address, port: PORT, pacingSeed: 1 },
        () => {},
        (e) => {
          throw e;
        },
      ),
    ),
  );
  pair.forEach((t, i) => {
    t.setIdentity({ domainNumber: DOMAIN, hostNumber: i + 1 });
    t.setKeys([{ hostNumber: 2 - i, send: KEYS[i], receive: [KEYS[1 - i]] }]);
    const target = { hostNumber: 2 - i, address: addresses[1 - i], port: PORT };
    t.setTargets([target], 50);
  });
  return pair;
}

/** What the two hosts seal their probes with. */
const KEYS = [1, 2].map((host) => ({ number: 4_710 + host, key: new Uint8Array(32).fill(host) }));

test.runIf(canCapture)(
  "an analyser reads every probe as PTPv2 with its true length, and the docs' decoder reads the TLV",
  async () => {
    const packets: Packet[] = [];
    const tshark = await capture(200, packets);
    const pair = await openPair();
    await new Promise((resolve) => tshark.once("exit", resolve));
    await Promise.all(pair.map((t) => t.close()));

    expect(packets).toHaveLength(200);
    const probes = new Map<string, bigint[]>();
    for (const p of packets) {
      const datagram = Buffer.from(p["udp.payload"].replaceAll(":", ""), "hex");
      expect(Number(p["ptp.v2.versionptp"])).toBe(2);
      expect(Number(p["ptp.v2.messagetype"])).toBe(1);
      expect(Number(p["ptp.v2.messagelength"])).toBe(datagram.length);
      expect(Number(p["ptp.v2.majorsdoid"])).toBe(0);
      expect(Number(p["ptp.v2.domainnumber"])).toBe(DOMAIN);
      expect(p["_ws.malformed"]).toBe("");
      const read = decodeProbeFromDocs(datagram);
      const from = p["ip.src"] === "127.31.9.1" ? 1 : 2;
      const { number, key } = KEYS[from - 1];
      const covered = Buffer.concat([datagram.subarray(0, 8), datagram.subarray(16, 74)]);
      const mac = createHmac("sha256", key).update(covered).digest("hex").slice(0, 32);
      expect([read.keyNumber, read.mac]).toEqual([number, mac]);
      expect([read.fromHost, read.toHost]).toEqual([from, 3 - from]);
      expect(read.sequenceId).toBe(Number(read.probe % 65536n));
      probes.set(p["ip.src"], [...(probes.get(p["ip.src"]) ?? []), read.probe]);
    }
    for (const numbers of probes.values()) {
      // Coded pairs: 2p and 2p+1 back to back, and no number twice.
      expect(numbers[1] - numbers[0]).toBe(1n);
      expect(numbers[0] % 2n).toBe(0n);
      expect(new Set(numbers).size).toBe(numbers.length);
    }
    const [first] = packets;
    console.log(
      `tshark: messageType ${first["ptp.v2.messagetype"]}, messageLength ${first["ptp.v2.messagelength"]}`,
    );
  },
);
