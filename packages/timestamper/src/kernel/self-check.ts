/**
 * Whether this kernel really stamps probes, tried before anything relies on it.
 *
 * Problem: layouts can be wrong on a new architecture, and a sysctl, a sandbox or a network driver
 * can withhold stamps without any call failing.
 * Approach: a socket sends coded pairs to itself; both probes must come back, stamped on the way out
 * and on the way in. Assumption: the address reaches itself, as every local address does.
 * What it cannot see: whether the network card's driver stamps too, as the pair stays on the host.
 */
import { PROBE_DOMAIN_NUMBER } from "@ttcs/protocol";
import { TtcsError } from "@ttcs/units";
import { createStamps } from "../columns.ts";
import type { ProbeSocket } from "../types.ts";
import { openKernelProbeSocket } from "./probe-socket.ts";

/** How long the check waits in all (ms). */
const PATIENCE_MS = 500;
/** A fresh pair is sent this often, so that one lost probe does not fail the check (ms). */
const PAIR_EVERY_MS = 50;
const POLL_MS = 1;
/** Any number does: the pair never leaves the host. */
const OWN_NUMBER = 1;

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

const KEY_BYTES = 32;

/** What came back. */
export interface SelfCheckCount {
  readonly sentStamped: number;
  readonly received: number;
  readonly receivedUnstamped: number;
}

/**
 * Checks stamps on `address`. Blocks for up to half a second, so only for the worker.
 *
 * Errors: NO_KERNEL_STAMPS, and those of `openKernelProbeSocket`.
 */
export function selfCheck(address: string): void {
  const socket = openKernelProbeSocket({ address, port: 0 });
  try {
    const advice = adviceFor(exchange(socket, address));
    if (advice !== undefined) throw new TtcsError("NO_KERNEL_STAMPS", { address, detail: advice });
  } finally {
    socket.close();
  }
}

/** What to do about a check that brought too little; undefined: it brought all. */
export function adviceFor(count: SelfCheckCount): string | undefined {
  const { sentStamped, received, receivedUnstamped } = count;
  if (sentStamped >= 2 && received >= 2) return undefined;
  if (received + receivedUnstamped < 2) {
    return "a probe to itself did not arrive within 500 ms; allow UDP on the loopback interface";
  }
  if (received < 2) {
    return "received probes carry no stamp; the kernel needs SO_TIMESTAMPING for this address";
  }
  return (
    "sent probes do not come back with a stamp; set sysctl net.core.tstamp_allow_data=1 or give " +
    "the agent CAP_NET_RAW"
  );
}

function exchange(socket: ProbeSocket, address: string): SelfCheckCount {
  const target = { hostNumber: OWN_NUMBER, address, port: socket.port };
  const stamps = createStamps(64);
  socket.setIdentity({ domainNumber: PROBE_DOMAIN_NUMBER, hostNumber: OWN_NUMBER });
  // No secret: nothing is measured here, and the socket is closed before there are neighbours.
  const key = { number: 1, key: new Uint8Array(KEY_BYTES) };
  socket.setKeys([{ hostNumber: OWN_NUMBER, send: key, receive: [key] }]);
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += POLL_MS) {
    if (waitedMs % PAIR_EVERY_MS === 0) socket.sendPairs([target], [waitedMs / PAIR_EVERY_MS]);
    socket.drain(stamps, stamps);
    if (adviceFor(socket.counters) === undefined) break;
    Atomics.wait(sleepCell, 0, 0, POLL_MS);
  }
  return socket.counters;
}
