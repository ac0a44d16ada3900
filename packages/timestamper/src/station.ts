/**
 * One host's socket and clocks together: what the worker runs, without the thread around it.
 *
 * The order of a read-out matters: first what is due is sent, then stamps are read (most of the
 * probes just sent are among them), then triples. A batch's closing instant is read before its last
 * read-out, so that all stamps before it are in the batch.
 */
import { PROBE_DOMAIN_NUMBER } from "@ttcs/protocol";
import { createStamps, createTriples, packColumns } from "./columns.ts";
import { KernelClockReader } from "./kernel/clock-reader.ts";
import { openKernelProbeSocket } from "./kernel/probe-socket.ts";
import { selfCheck } from "./kernel/self-check.ts";
import { KernelSystemClock } from "./kernel/system-clock.ts";
import type { PackedBatch, Request } from "./messages.ts";
import { Pacer } from "./pacing.ts";
import type {
  ProbeSocket,
  ProbeTarget,
  StampColumns,
  SystemClock,
  TimestamperOptions,
} from "./types.ts";
import { VirtualSystemClock } from "./virtual/clock.ts";
import { LabProbeSocket } from "./virtual/lab-socket.ts";

/** Triples per read-out: 120 a second at the usual 17 ms. */
const TRIPLES_PER_READ_OUT = 2;
const FIRST_CAPACITY = 1024;
/** Pair numbers of a process start at its opening instant in this unit (ns): 1 ms. */
const PAIR_NUMBER_UNIT_NS = 1_000_000n;

/** Socket and clocks of a host: the kernel's, or in a laboratory virtual ones. */
export interface Instruments {
  readonly socket: ProbeSocket;
  readonly clock: SystemClock;
}

/** Opens the instruments. A laboratory never gets hold of the kernel's adjusting calls. */
export function openInstruments(options: TimestamperOptions): Instruments {
  const { address, port, lab } = options;
  if (lab === undefined) {
    return { socket: openKernelProbeSocket({ address, port }), clock: new KernelSystemClock() };
  }
  const clock = new VirtualSystemClock(lab, new KernelClockReader());
  return {
    socket: new LabProbeSocket(openKernelProbeSocket({ address, port }), clock, lab),
    clock,
  };
}

/** Paces probes, collects stamps and answers requests. */
export class Station {
  readonly probePort: number;
  readonly startRawNs: bigint;
  readonly #socket: ProbeSocket;
  readonly #clock: SystemClock;
  readonly #pacer: Pacer;
  readonly #sent = createStamps(FIRST_CAPACITY);
  readonly #received = createStamps(FIRST_CAPACITY);
  readonly #triples = createTriples(FIRST_CAPACITY);
  readonly #dueTargets: ProbeTarget[] = [];
  readonly #duePairs: number[] = [];
  /** Numbers of the hosts that are probed: nobody else is heard. */
  #known: ReadonlySet<number> = new Set();
  #strangersCount = 0;
  #hostNumber = 0;

  /** Errors: NO_KERNEL_STAMPS, PROBE_INTERFACE, PROBE_SOCKET, KERNEL_CALL, CONFIG_UNREADABLE. */
  constructor(options: TimestamperOptions) {
    selfCheck(options.address);
    const { socket, clock } = openInstruments(options);
    this.#socket = socket;
    this.#clock = clock;
    this.probePort = socket.port;
    const { rawNs, kernelRawNs } = clock.read();
    this.startRawNs = rawNs;
    const firstPair = Number(kernelRawNs / PAIR_NUMBER_UNIT_NS);
    this.#pacer = new Pacer(options.pacingSeed, firstPair);
    socket.setIdentity({ domainNumber: PROBE_DOMAIN_NUMBER, hostNumber: 0 });
  }

  /** Sends what is due and reads what is ready. */
  readOut(): void {
    if (this.#hostNumber !== 0) {
      const targets = this.#dueTargets;
      const pairs = this.#duePairs;
      targets.length = 0;
      pairs.length = 0;
      this.#pacer.takeDue(nowNs(), targets, pairs);
      this.#socket.sendPairs(targets, pairs);
    }
    const before = this.#received.length;
    this.#socket.drain(this.#sent, this.#received);
    this.#strangersCount += keepKnown(this.#received, before, this.#known);
    this.#clock.readTriples(TRIPLES_PER_READ_OUT, this.#triples);
  }

  /** Reads out a last time and hands over everything since the batch before. */
  takeBatch(cpuS: number): PackedBatch {
    const { rawNs } = this.#clock.read();
    this.readOut();
    const { counters } = this.#socket;
    const batch = {
      columns: packColumns(this.#sent, this.#received, this.#triples),
      rawNs,
      status: this.#clock.readStatus(),
      counters: {
        ...counters,
        unknownSenders: counters.unknownSenders + this.#strangersCount,
      },
      cpuS,
    };
    this.#sent.length = 0;
    this.#received.length = 0;
    this.#triples.length = 0;
    return batch;
  }

  /** Does what is asked and returns the answer; the face of it is `Timestamper`. */
  answer(request: Request): unknown {
    switch (request.kind) {
      case "setIdentity":
        this.#hostNumber = request.identity.hostNumber;
        return this.#socket.setIdentity(request.identity);
      case "setKeys":
        return this.#socket.setKeys(request.keys);
      case "setTargets":
        this.#known = new Set(request.targets.map((target) => target.hostNumber));
        return this.#pacer.setTargets(request.targets, request.pairsPerSecond, nowNs());
      case "read":
        return this.#clock.read();
      case "adjustFrequency":
        return this.#clock.adjustFrequency(request.freqPpb);
      case "step":
        return this.#clock.step(request.stepNs);
      case "setErrors":
        return this.#clock.setErrors(request.maxErrorNs, request.estErrorNs, request.synchronised);
      case "close":
        this.#socket.close();
        return this.#clock.close();
    }
  }
}

/** A clock for pacing (ns): any that grows will do, and this one costs least. */
const nowNs = (): number => performance.now() * 1e6;

/**
 * Drops stamps of hosts that are not probed from entry `from` on; returns how many there were. A
 * number that nobody dealt would wait here for an edge that never comes.
 */
function keepKnown(stamps: StampColumns, from: number, known: ReadonlySet<number>): number {
  let kept = from;
  for (let i = from; i < stamps.length; i++) {
    if (!known.has(stamps.peer[i])) continue;
    if (kept !== i) {
      stamps.peer[kept] = stamps.peer[i];
      stamps.probe[kept] = stamps.probe[i];
      stamps.systemNs[kept] = stamps.systemNs[i];
    }
    kept++;
  }
  const dropped = stamps.length - kept;
  stamps.length = kept;
  return dropped;
}
