import { TtcsError } from "@ttcs/units";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStamps } from "../columns.ts";
import {
  drainUntil,
  probeSocketContract,
  type SocketPair,
  systemClockContract,
} from "../contract.ts";
import { openKernelProbeSocket } from "./probe-socket.ts";
import { KernelSystemClock } from "./system-clock.ts";

function openPair(): SocketPair {
  const a = openKernelProbeSocket({ address: "127.0.0.1", port: 0 });
  const b = openKernelProbeSocket({ address: "127.0.0.1", port: 0 });
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

/**
 * The kernel begins to stamp what it receives some time after the first socket asked for it, and ends
 * with the last one: a pair that stays open makes the tests independent of what else is running.
 */
let keeper: SocketPair | undefined;
beforeAll(async () => {
  keeper = openPair();
  const { a, b } = keeper;
  a.setIdentity({ domainNumber: 1, hostNumber: 1 });
  b.setIdentity({ domainNumber: 1, hostNumber: 2 });
  const [none, received] = [createStamps(4), createStamps(4)];
  const target = { hostNumber: 2, address: "127.0.0.1", port: b.port };
  for (let pair = 0; pair < 50 && received.length === 0; pair++) {
    a.sendPairs([target], [pair]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    b.drain(none, received);
  }
});
afterAll(() => keeper?.close());

probeSocketContract("kernel", openPair);
systemClockContract("kernel", () => new KernelSystemClock());

describe("the kernel probe socket", () => {
  test("works over IPv6 as well", async () => {
    const socket = openKernelProbeSocket({ address: "::1", port: 0 });
    const sent = createStamps(4);
    const received = createStamps(4);
    socket.setIdentity({ domainNumber: 117, hostNumber: 5 });
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
