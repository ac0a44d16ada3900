/**
 * Cross traffic of a laboratory: bursts of full-sized frames towards some hosts.
 *
 * Bursts begin as a Poisson process, the size of each is exponential. A burst is sent as one datagram
 * (or a few), which the kernel cuts into full frames: handing over each frame alone would cost this
 * process three times as much. What is really sent depends on the machine; the kernel's count of it
 * goes to the parent once a second, because a rate that was asked for proves nothing.
 */
import { createSocket, type Socket } from "node:dgram";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Prng } from "@ttcs/units";

/** The discard service: nobody listens there, and the kernel throws the datagrams away. */
const DISCARD_PORT = 9;
/** The largest datagram of a burst (bytes); UDP allows a little more. */
const DATAGRAM_BYTES_MAX = 60_000;
/** Mean time between two bursts towards one host (ms). */
const BURST_GAP_MS = 1;
/**
 * A stalled sender makes up for so much at most, and for so much at a time (ms): more would overflow
 * the shaper's queue of 8 ms at once.
 */
const LATE_MAX_MS = 50;
const CATCH_UP_MS = 8;
const REPORT_EVERY_MS = 1_000;
/** Time for the sockets to connect, which they do in the background (ms). */
const CONNECT_MS = 100;

/** What a sender tells its parent. */
export interface TrafficReport {
  /** What the kernel has sent to all hosts together (Mbit on the wire), and for how long (s). */
  readonly sentMbit: number;
  readonly seconds: number;
}

export interface TrafficOptions {
  readonly targets: readonly string[];
  /** Towards each target (Mbit/s). */
  readonly mbit: number;
  readonly seed: number;
}

/** When bursts begin towards one target, and how large they are. */
export class BurstPlan {
  readonly #random: Prng;
  readonly #meanBytes: number;
  #nextMs = 0;

  constructor(mbit: number, seed: number) {
    this.#random = new Prng(seed);
    this.#meanBytes = (mbit * 1e6 * BURST_GAP_MS * 1e-3) / 8;
  }

  /** Bytes of the datagrams that are due at `nowMs` since the start. */
  due(nowMs: number): number[] {
    const sizes: number[] = [];
    this.#nextMs = Math.max(this.#nextMs, nowMs - LATE_MAX_MS);
    const untilMs = Math.min(nowMs, this.#nextMs + CATCH_UP_MS);
    while (this.#nextMs <= untilMs) {
      this.#nextMs += this.#random.exponential(BURST_GAP_MS);
      let bytes = Math.round(this.#random.exponential(this.#meanBytes));
      for (; bytes > 0; bytes -= DATAGRAM_BYTES_MAX)
        sizes.push(Math.min(bytes, DATAGRAM_BYTES_MAX));
    }
    return sizes;
  }
}

/** Bytes that the interface of this network namespace has sent. */
function sentBytes(): number {
  const line = /^\s*eth0:(.*)$/m.exec(readFileSync("/proc/self/net/dev", "utf8"));
  // Eight columns on what was received come first.
  return Number(line?.[1].trim().split(/\s+/)[8] ?? 0);
}

function connected(address: string): Socket {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  // The host may answer that nobody listens.
  socket.on("error", () => {});
  socket.connect(DISCARD_PORT, address);
  return socket;
}

/** Sends until the process ends. */
export async function runTraffic(options: TrafficOptions): Promise<void> {
  const payload = new Uint8Array(DATAGRAM_BYTES_MAX);
  const flows = options.targets.map((address, i) => ({
    socket: connected(address),
    plan: new BurstPlan(options.mbit, options.seed + i),
  }));
  await sleep(CONNECT_MS);
  const startMs = performance.now();
  const startBytes = sentBytes();
  let reportedMs = startMs;
  for (;;) {
    const nowMs = performance.now();
    for (const { socket, plan } of flows) {
      for (const bytes of plan.due(nowMs - startMs)) socket.send(payload.subarray(0, bytes));
    }
    if (nowMs - reportedMs >= REPORT_EVERY_MS) {
      reportedMs = nowMs;
      const sentMbit = ((sentBytes() - startBytes) * 8) / 1e6;
      process.send?.({ sentMbit, seconds: (nowMs - startMs) / 1e3 } satisfies TrafficReport);
    }
    await sleep(1);
  }
}
