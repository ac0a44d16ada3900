import {
  encodeProbe,
  PROBE_BYTES,
  PROBE_COVERED_BYTES,
  type ProbeFields,
  sealProbe,
} from "@ttcs/protocol";
import { TtcsError } from "@ttcs/units";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStamps } from "../columns.ts";
import {
  drainUntil,
  keysBetween,
  probeSocketContract,
  type SocketPair,
  sendAll,
  stampedPair,
  systemClockContract,
} from "../contract.ts";
import { probeMac } from "./probe-mac.ts";
import { createCounters, openKernelProbeSocket } from "./probe-socket.ts";
import { KernelSystemClock } from "./system-clock.ts";

function openPair(isFiltered = false): SocketPair {
  const a = openKernelProbeSocket({ address: "127.0.0.1", port: 0, isFiltered });
  const b = openKernelProbeSocket({ address: "127.0.0.1", port: 0, isFiltered });
  return {
    a,
    b,
    close: () => {
      a.close();
      b.close();
    },
  };
}

function faultOf(address: string, port: number): TtcsError {
  try {
    openKernelProbeSocket({ address, port }).close();
  } catch (error) {
    expect(error).toBeInstanceOf(TtcsError);
    return error as TtcsError;
  }
  throw new Error("the socket could be opened");
}

let keeper: SocketPair | undefined;
beforeAll(async () => {
  keeper = await stampedPair(openPair);
});
afterAll(() => keeper?.close());

probeSocketContract("kernel", () => openPair());
systemClockContract("kernel", () => new KernelSystemClock());

describe("the kernel probe socket", () => {
  test("drops in the kernel what is not of a neighbour's making, and lets every right one by", async () => {
    const pair = openPair(true);
    const [own, other, key] = [3, 4, 4711];
    const secret = new Uint8Array(32).fill(9);
    const edge = { hostNumber: other, send: undefined };
    pair.b.setIdentity({ domainNumber: 117, hostNumber: own });
    const older = { number: 99, key: secret };
    pair.b.setKeys([
      { hostNumber: 5, send: undefined, receive: [older] },
      { ...edge, receive: [older, { number: key, key: secret }] },
    ]);
    const fields = { domainNumber: 117, fromHost: other, toHost: own, keyNumber: key, flags: 0 };
    const sealed = (probe: number, changes: Partial<ProbeFields> = {}) => {
      const bytes = new Uint8Array(PROBE_BYTES);
      encodeProbe(bytes, 0, { ...fields, probe, ...changes });
      sealProbe(bytes, 0, probeMac, probeMac.keyOf(secret), new Uint8Array(PROBE_COVERED_BYTES));
      return bytes;
    };
    const changed = (at: number) => {
      const bytes = sealed(1);
      bytes[at] ^= 1;
      return bytes;
    };
    const bad = [
      new Uint8Array(0),
      new Uint8Array(PROBE_BYTES),
      sealed(1).subarray(1),
      Uint8Array.of(...sealed(1), 0),
      sealed(1, { fromHost: 6 }),
      sealed(1, { toHost: own + 1 }),
      sealed(1, { keyNumber: 0 }),
      sealed(1, { keyNumber: key + 1 }),
      // Another neighbour's key.
      sealed(1, { fromHost: 5 }),
      ...[44, 45, 46, 47, 48, 49, 50, 51].map(changed),
    ];
    const good = [sealed(10), sealed(11, { keyNumber: 99 }), sealed(12)];
    const stamps = createStamps(4);
    const received = createStamps(4);
    await sendAll(pair.b.port, [...bad, ...good]);
    await drainUntil(pair.b, stamps, received, () => received.length >= good.length);
    const { counters } = pair.b;
    pair.close();
    expect(Array.from(received.probe.subarray(0, received.length))).toEqual([10, 11, 12]);
    expect(counters).toEqual({ ...createCounters(), received: 3 });
  });

  test("works over IPv6 as well", async () => {
    const socket = openKernelProbeSocket({ address: "::1", port: 0 });
    const sent = createStamps(4);
    const received = createStamps(4);
    socket.setIdentity({ domainNumber: 117, hostNumber: 5 });
    const key = { number: 1, key: new Uint8Array(32) };
    socket.setKeys([{ hostNumber: 5, send: key, receive: [key] }]);
    socket.sendPairs([{ hostNumber: 5, address: "::1", port: socket.port }], [3]);
    await drainUntil(socket, sent, received, () => sent.length >= 2 && received.length >= 2);
    socket.close();
    expect(Array.from(sent.probe.subarray(0, 2))).toEqual([6, 7]);
    expect(Array.from(received.probe.subarray(0, 2))).toEqual([6, 7]);
  });

  for (const address of ["127.0.0.1", "::1"]) {
    test(`hears a host it has probed only from where that host is (${address})`, async () => {
      const [own, friend, forger] = [1, 2, 2].map((hostNumber) => {
        const socket = openKernelProbeSocket({ address, port: 0 });
        socket.setIdentity({ domainNumber: 117, hostNumber });
        socket.setKeys(keysBetween(hostNumber, [1, 2]));
        return socket;
      });
      const stamps = createStamps(4);
      const received = createStamps(4);
      own.sendPairs([{ hostNumber: 2, address, port: friend.port }], [1]);
      forger.sendPairs([{ hostNumber: 1, address, port: own.port }], [2 ** 40]);
      friend.sendPairs([{ hostNumber: 1, address, port: own.port }], [7]);
      await drainUntil(own, stamps, received, () => received.length >= 2);
      for (const socket of [own, friend, forger]) socket.close();
      expect(Array.from(received.probe.subarray(0, received.length))).toEqual([14, 15]);
      expect(own.counters).toMatchObject({ received: 2, malformed: 0, foreignSource: 2 });
    });
  }

  test("says that a port is taken", () => {
    const first = openKernelProbeSocket({ address: "127.0.0.1", port: 0 });
    const fault = faultOf("127.0.0.1", first.port);
    first.close();
    expect(fault.code).toBe("PROBE_SOCKET");
    expect(fault.message).toContain("another process has the port (EADDRINUSE)");
  });

  test("says that the host lacks the address", () => {
    const fault = faultOf("192.0.2.1", 0);
    expect(fault.code).toBe("PROBE_INTERFACE");
    expect(fault.message).toContain("Failed to fetch interface for probe IP 192.0.2.1: ");
  });

  test("says that a text is no address", () => {
    expect(faultOf("host.example", 0).code).toBe("PROBE_INTERFACE");
  });
});
