/**
 * The thread that talks to the kernel.
 *
 * Problem: the main thread may be held up by a fit or a TLS handshake for milliseconds; pacing and
 * read-out must not be. Approach: a loop of timers in a thread of its own. Stamps are the kernel's, so
 * that it does not matter when exactly they are read. Buffers of a batch are transferred, not copied.
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "@ttcs/units";
import { type Notice, type NumberedRequest, toPlain } from "./messages.ts";
import { Station } from "./station.ts";
import type { TimestamperBatch, TimestamperOptions } from "./types.ts";

const READ_OUT_MS = 10;
const BATCH_MS = 50;

assert(parentPort !== null, "this file is a worker");
const port = parentPort;

const say = (notice: Notice, transfer: ArrayBuffer[] = []): void => {
  port.postMessage(notice, transfer);
};

/** The buffers of a batch's columns; they are its own, see `takeBatch`. */
function buffersOf({ sent, received, triples }: TimestamperBatch): ArrayBuffer[] {
  const columns = [
    ...[sent, received].flatMap((stamps) => [stamps.peer, stamps.probe, stamps.systemNs]),
    triples.rawBeforeNs,
    triples.systemNs,
    triples.rawAfterNs,
  ];
  return columns.map((column) => column.buffer as ArrayBuffer);
}

function run(options: TimestamperOptions): void {
  const station = new Station(options);
  const readOutMs = options.readOutMs ?? READ_OUT_MS;
  const batchEvery = Math.max(1, Math.round((options.batchMs ?? BATCH_MS) / readOutMs));
  let readOuts = 0;
  let timer: NodeJS.Timeout;

  const readOut = (): void => {
    try {
      if (++readOuts % batchEvery === 0) {
        const batch = station.takeBatch();
        say({ kind: "batch", batch }, buffersOf(batch));
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
