/**
 * The thread that talks to the kernel.
 *
 * Problem: the main thread may be held up by a fit or a TLS handshake for milliseconds; pacing and
 * read-out must not be. Approach: a loop of timers in a thread of its own. Stamps are the kernel's, so
 * that it does not matter when exactly they are read. A batch's columns are transferred, not copied.
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "@ttcs/units";
import { type Notice, type NumberedRequest, toPlain } from "./messages.ts";
import { Station } from "./station.ts";
import type { TimestamperOptions } from "./types.ts";

/** Three read-outs make a batch. Stamps are the kernel's and pacing has its jitter: no more is needed. */
const READ_OUT_MS = 17;
const BATCH_MS = 50;
/** At more pairs per second than this, one read-out per pair and neighbour is too few. */
const READ_OUT_MS_MIN = 5;

assert(parentPort !== null, "this file is a worker");
const port = parentPort;

const say = (notice: Notice, transfer: ArrayBuffer[] = []): void => {
  port.postMessage(notice, transfer);
};

/** Processor time of this thread (s). */
function cpuSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

function run(options: TimestamperOptions): void {
  const station = new Station(options);
  const slowestMs = options.readOutMs ?? READ_OUT_MS;
  const batchMs = options.batchMs ?? BATCH_MS;
  let readOutMs = slowestMs;
  let readOuts = 0;
  let timer: NodeJS.Timeout;

  const readOut = (): void => {
    try {
      if (++readOuts * readOutMs >= batchMs) {
        readOuts = 0;
        const batch = station.takeBatch(cpuSeconds());
        say({ kind: "batch", batch }, [batch.columns.buffer]);
      } else {
        station.readOut();
      }
      timer = setTimeout(readOut, readOutMs);
    } catch (error) {
      say({ kind: "fatal", error: toPlain(error) });
    }
  };

  port.on("message", ({ id, request }: NumberedRequest) => {
    if (request.kind === "close") clearTimeout(timer);
    if (request.kind === "setTargets" && request.pairsPerSecond > 0) {
      const periodMs = 1000 / request.pairsPerSecond;
      readOutMs = Math.min(slowestMs, Math.max(READ_OUT_MS_MIN, periodMs));
    }
    try {
      say({ kind: "answer", id, value: station.answer(request) });
    } catch (error) {
      say({ kind: "refused", id, error: toPlain(error) });
    }
    if (request.kind === "close") port.close();
  });
  say({ kind: "opened", probePort: station.probePort, startRawNs: station.startRawNs });
  timer = setTimeout(readOut, readOutMs);
}

try {
  run(workerData as TimestamperOptions);
} catch (error) {
  say({ kind: "fatal", error: toPlain(error) });
  port.close();
}
