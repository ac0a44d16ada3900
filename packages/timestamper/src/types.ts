/**
 * What the rest of the program may ask of the kernel: stamped probes and clock readings. Every
 * interface here has a kernel implementation and a simulated one, held to the same contract tests.
 *
 * All calls are synchronous and live in one worker thread; `Timestamper` is their face on the main
 * thread.
 */

import type { EdgeKeys } from "@ttcs/protocol";

/** One column of stamps, grown as needed and reused; the first `length` entries count. */
export interface StampColumns {
  length: number;
  /** Number of the other host of the edge. */
  peer: Uint32Array;
  /** Probe number on the directed edge: 2p and 2p+1 are the probes of coded pair p. */
  probe: Float64Array;
  /** Stamp on the host's system clock (Unix ns). */
  systemNs: BigInt64Array;
}

/** Simultaneous readings: a system reading bracketed by two raw ones. */
export interface TripleColumns {
  length: number;
  /** Raw clock just before (ns). */
  rawBeforeNs: BigInt64Array;
  /** System clock between the two (Unix ns). */
  systemNs: BigInt64Array;
  /** Raw clock just after (ns). */
  rawAfterNs: BigInt64Array;
}

/** Where probes to one neighbour go. */
export interface ProbeTarget {
  /** Number of the neighbour, dealt by the coordinator. */
  readonly hostNumber: number;
  /** IP address of the neighbour. */
  readonly address: string;
  /** UDP port of the neighbour. */
  readonly port: number;
}

/** Counts since the socket was opened. */
export interface ProbeCounters {
  sent: number;
  /** Probes that the kernel refused to send. */
  sendErrors: number;
  sentStamped: number;
  received: number;
  /** Received probes without a kernel stamp: dropped. */
  receivedUnstamped: number;
  /** Datagrams that are no probe of ours, or not addressed to this host: dropped. */
  malformed: number;
  /** Probes dropped because no key of that neighbour has this number. */
  unknownKeys: number;
  /** Probes dropped because that number was seen before, or is far behind. */
  replayed: number;
  /** Probes dropped because the MAC is wrong. */
  forged: number;
  /** Probes in the name of a host that has no keys here: dropped. */
  unknownSenders: number;
  /** Probes not sent because there is no key for the neighbour yet. */
  unkeyed: number;
  /** Probes that the conditions of a laboratory's link lost; 0 elsewhere. */
  injectedLoss: number;
}

/** A UDP socket whose probes carry kernel stamps both ways. */
export interface ProbeSocket {
  /** The UDP port it is bound to. */
  readonly port: number;
  readonly counters: Readonly<ProbeCounters>;
  /** Sets the numbers that stand in the probes sent from now on, and that received ones must name. */
  setIdentity(identity: ProbeIdentity): void;
  /**
   * The keys of all neighbours, in place of those before; keys that stay keep what they have seen.
   * Probes without a key are neither sent nor let in.
   */
  setKeys(keys: readonly EdgeKeys[]): void;
  /**
   * Sends one coded pair to each target, back to back, without waiting for anything. `pair[i]` is
   * the number of the pair on the directed edge to `targets[i]`.
   */
  sendPairs(targets: readonly ProbeTarget[], pair: readonly number[]): void;
  /** Appends all stamps that are ready: of probes sent and of probes received. Never blocks. */
  drain(sent: StampColumns, received: StampColumns): void;
  close(): void;
}

/** What a probe says of its sender. */
export interface ProbeIdentity {
  /** PTP domain number of the probes (0 to 255). */
  readonly domainNumber: number;
  /** This host's own number; 0 until the coordinator has dealt one (then nothing is accepted). */
  readonly hostNumber: number;
}

/** What the kernel says of its own clock. */
export interface ClockStatus {
  /** Frequency setting of the system clock against raw (ppb, positive makes it run faster). */
  readonly freqPpb: number;
  /** The kernel's maxerror and esterror (ns). */
  readonly maxErrorNs: number;
  readonly estErrorNs: number;
  /** False when STA_UNSYNC is set. */
  readonly synchronised: boolean;
}

/** One instant on all clocks of the host. */
export interface ClockReading {
  /** The kernel's CLOCK_MONOTONIC_RAW (ns), also where a virtual clock stands in front of it. */
  readonly kernelRawNs: bigint;
  /** The host's raw clock (ns); the same as `kernelRawNs` unless the clock is virtual. */
  readonly rawNs: bigint;
  /** The host's system clock (Unix ns). */
  readonly systemNs: bigint;
  /** The three belong to one instant within this (ns). */
  readonly errorBoundNs: number;
}

/** The clocks of one host and the calls that steer its system clock. */
export interface SystemClock {
  /** Appends `count` triples, taken one after the other. */
  readTriples(count: number, out: TripleColumns): void;
  /** One instant on all clocks (the tightest of a few brackets). */
  read(): ClockReading;
  readStatus(): ClockStatus;
  /**
   * Sets the frequency of the system clock against raw (ppb, within +-500 000). Takes effect at the
   * next tick of the kernel. Returns the raw instant just before the write (ns).
   */
  adjustFrequency(freqPpb: number): bigint;
  /** Moves the system clock by `stepNs` at once. Returns the raw instant just before (ns). */
  step(stepNs: number): bigint;
  /** Tells the kernel how wrong its clock may be, for its other users. */
  setErrors(maxErrorNs: number, estErrorNs: number, synchronised: boolean): void;
  close(): void;
}

/** What the worker hands over, some twenty times a second. Columns are the receiver's to keep. */
export interface TimestamperBatch {
  readonly sent: StampColumns;
  readonly received: StampColumns;
  readonly triples: TripleColumns;
  /** Raw clock when the batch was closed (ns): all stamps before it are in this batch or earlier. */
  readonly rawNs: bigint;
  readonly status: ClockStatus;
  readonly counters: ProbeCounters;
}

/** The timestamper as the main thread sees it. */
export interface Timestamper {
  readonly probePort: number;
  /** Raw clock at opening (ns). */
  readonly startRawNs: bigint;
  setIdentity(identity: ProbeIdentity): void;
  /** The keys of all neighbours, in place of those before. */
  setKeys(keys: readonly EdgeKeys[]): void;
  /** Probes these neighbours from now on; numbers of pairs go on where an edge stays. */
  setTargets(targets: readonly ProbeTarget[], pairsPerSecond: number): void;
  read(): Promise<ClockReading>;
  adjustFrequency(freqPpb: number): Promise<bigint>;
  step(stepNs: number): Promise<bigint>;
  setErrors(maxErrorNs: number, estErrorNs: number, synchronised: boolean): void;
  /** Ends the worker and closes its socket. */
  close(): Promise<void>;
}

/** How to open a timestamper. Everything here crosses a thread, so it is plain data. */
export interface TimestamperOptions {
  readonly address: string;
  /** UDP port; 0 takes a free one. */
  readonly port: number;
  /** Seed of the jitter that paces probes. */
  readonly pacingSeed: number;
  /** How often stamps and triples are read out (ms, 5 to 20; default 10). */
  readonly readOutMs?: number;
  /** How often a batch is handed over (ms, default 50). */
  readonly batchMs?: number;
  /** Set in a laboratory: virtual clock and link conditions. */
  readonly lab?: LabOptions;
}

/** A laboratory host: seeded clock and links. Defined by "The lab" of ARCHITECTURE.md. */
export interface LabOptions {
  readonly seed: number;
  /** Number of this host in the laboratory, from 0. */
  readonly index: number;
  /** Folder of the control log that outlives the agent. */
  readonly stateDir: string;
  /** Instants of the kernel's raw and real-time clocks at which the laboratory began (ns). */
  readonly startKernelRawNs: bigint;
  readonly startUnixNs: bigint;
  /** True: the system clock is steered by a simulated time daemon, as a reference's is. */
  readonly timeDaemon: boolean;
  readonly link: LinkConditions;
  /** One slew of the time daemon; undefined: none. */
  readonly slew?: DaemonSlew;
  /** Folder for a recording of all stamps; undefined: none is made. */
  readonly recordDir?: string;
}

/** A slew of the simulated time daemon: it moves the system clock away from where it stood. */
export interface DaemonSlew {
  /** How far (ns, positive: forward). */
  readonly slewNs: number;
  /** When it begins (s of the host's raw clock since the laboratory began). */
  readonly atS: number;
  /** How fast (ppb, positive). */
  readonly ratePpb: number;
}

/** Conditions added to receive stamps of every link into this host. */
export interface LinkConditions {
  /** One-way delay every probe meets (ns); each edge draws its own within +-20 % of it. */
  readonly baseDelayNs: number;
  /** Mean of the exponential delay on top (ns). */
  readonly jitterNs: number;
  /** Probability that a probe is lost (0 to 1). */
  readonly loss: number;
  /** Receive direction minus send direction (ns), on the edges the seed picks. */
  readonly asymmetryNs: number;
  /** Share of edges that are asymmetric (0 to 1). */
  readonly asymmetricShare: number;
  /** Load of a queue in front of this host, one per neighbour (0: no queue; below 1). */
  readonly queueLoad: number;
  /** Mean time that the queue serves one packet of the cross traffic (ns). */
  readonly queueServiceNs: number;
  /** Probability that a probe meets the beginning of a pause (0 to 1), and its mean length (ns). */
  readonly spikeShare: number;
  readonly spikeNs: number;
}
