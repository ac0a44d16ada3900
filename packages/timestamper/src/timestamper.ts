/**
 * The timestamper's face on the main thread: requests go to the worker as messages, batches come back.
 *
 * A fault at opening rejects `openTimestamper`; one later goes to `onFatal`, once, and the requests
 * under way are rejected with it. The worker may also end by itself (out of memory, a crash in the C
 * library); that is a fault too. Batches that arrive after `close` was called are dropped.
 */
import { Worker } from "node:worker_threads";
import type { EdgeKeys } from "@ttcs/protocol";
import { unpackColumns } from "./columns.ts";
import {
  fromPlain,
  type Notice,
  type NumberedRequest,
  type PackedBatch,
  type Request,
} from "./messages.ts";
import type {
  ClockReading,
  ProbeIdentity,
  ProbeTarget,
  Timestamper,
  TimestamperBatch,
  TimestamperOptions,
} from "./types.ts";

/** How long the worker may take to close before it is ended by force (ms). */
const CLOSE_PATIENCE_MS = 2000;

/** The worker's heap, which holds hardly more than its code (MB). */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

/** A timestamper that tells what it costs. */
export interface MeteredTimestamper extends Timestamper {
  /** Processor time of the worker's thread at its last batch (s). */
  readonly cpuS: number;
}

/** From source the worker is a file beside this one; bundled it stands beside the program. */
function workerUrl(): URL {
  const fromSource = import.meta.url.endsWith(".ts");
  return new URL(fromSource ? "./worker.ts" : "./timestamper-worker.js", import.meta.url);
}

/**
 * Opens the timestamper in a thread of its own.
 *
 * @param onBatch gets stamps and triples, some twenty times a second.
 * @param onFatal gets what ends the timestamper after it was opened, and refused `setErrors`.
 *
 * Errors: NO_KERNEL_STAMPS, PROBE_INTERFACE, PROBE_SOCKET, KERNEL_CALL; in a laboratory also
 * CONFIG_UNREADABLE for a broken control log.
 */
export async function openTimestamper(
  options: TimestamperOptions,
  onBatch: (batch: TimestamperBatch) => void,
  onFatal: (error: Error) => void,
): Promise<MeteredTimestamper> {
  const link = new WorkerLink(options, onBatch, onFatal);
  const { probePort, startRawNs } = await link.opened;
  return {
    probePort,
    startRawNs,
    get cpuS() {
      return link.cpuS;
    },
    setIdentity: (identity: ProbeIdentity) => link.tell({ kind: "setIdentity", identity }),
    setKeys: (keys: readonly EdgeKeys[]) => link.tell({ kind: "setKeys", keys }),
    setTargets: (targets: readonly ProbeTarget[], pairsPerSecond: number) =>
      link.tell({ kind: "setTargets", targets, pairsPerSecond }),
    read: () => link.ask({ kind: "read" }) as Promise<ClockReading>,
    adjustFrequency: (freqPpb) => link.ask({ kind: "adjustFrequency", freqPpb }) as Promise<bigint>,
    step: (stepNs) => link.ask({ kind: "step", stepNs }) as Promise<bigint>,
    setErrors: (maxErrorNs, estErrorNs, synchronised) =>
      link.tell({ kind: "setErrors", maxErrorNs, estErrorNs, synchronised }),
    close: () => link.close(),
  };
}

type Opened = Extract<Notice, { kind: "opened" }>;
interface Pending<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

class WorkerLink {
  readonly opened: Promise<Opened>;
  cpuS = 0;
  readonly #worker: Worker;
  readonly #onBatch: (batch: TimestamperBatch) => void;
  readonly #onFatal: (error: Error) => void;
  readonly #pending = new Map<number, Pending<unknown>>();
  readonly #exited: Promise<void>;
  #opening: Pending<Opened> | undefined;
  #nextId = 1;
  /** Why the worker takes no more requests; undefined while it does. */
  #ended: Error | undefined;
  #closing = false;

  constructor(
    options: TimestamperOptions,
    onBatch: (batch: TimestamperBatch) => void,
    onFatal: (error: Error) => void,
  ) {
    this.#onBatch = onBatch;
    this.#onFatal = onFatal;
    const opened = Promise.withResolvers<Opened>();
    this.opened = opened.promise;
    this.#opening = opened;
    this.#worker = new Worker(workerUrl(), {
      workerData: options,
      resourceLimits: WORKER_LIMITS,
    });
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    this.#worker.on("message", (notice: Notice) => this.#hear(notice));
    this.#worker.on("error", (error) => this.#end(error as Error));
    this.#worker.on("exit", (code) => {
      this.#end(new Error(`the timestamper's thread ended with code ${code}`));
      exited.resolve();
    });
  }

  ask(request: Request): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, answer);
    this.#worker.postMessage({ id, request } satisfies NumberedRequest);
    return answer.promise;
  }

  /** Like `ask`, for callers who do not wait: a refusal is fatal, unless the worker has ended. */
  tell(request: Request): void {
    this.ask(request).catch((error: Error) => {
      if (this.#ended === undefined) this.#onFatal(error);
    });
  }

  async close(): Promise<void> {
    if (!this.#closing && this.#ended === undefined) {
      this.#closing = true;
      this.ask({ kind: "close" }).catch(() => {});
    }
    const force = setTimeout(() => this.#worker.terminate(), CLOSE_PATIENCE_MS);
    await this.#exited;
    clearTimeout(force);
  }

  #hear(notice: Notice): void {
    switch (notice.kind) {
      case "opened":
        this.#opening?.resolve(notice);
        this.#opening = undefined;
        return;
      case "batch":
        if (!this.#closing) this.#take(notice.batch);
        return;
      case "answer":
        this.#settle(notice.id)?.resolve(notice.value);
        return;
      case "refused":
        this.#settle(notice.id)?.reject(fromPlain(notice.error));
        return;
      case "fatal":
        this.#end(fromPlain(notice.error));
    }
  }

  #take({ columns, rawNs, status, counters, cpuS }: PackedBatch): void {
    this.cpuS = cpuS;
    this.#onBatch({ ...unpackColumns(columns), rawNs, status, counters });
  }

  #settle(id: number): Pending<unknown> | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** The worker is of no more use: everybody who waits hears why, the first time. */
  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    if (this.#opening !== undefined) this.#opening.reject(error);
    else if (!this.#closing) this.#onFatal(error);
    void this.#worker.terminate();
  }
}
