/** One host of a world: its clocks, its card, its probes, and the shipped agent's core. */
import { AgentCore } from "@ttcs/agent/core";
import type { TimestamperBatch } from "@ttcs/timestamper/types";
import { mix32, Prng, type RawNanos } from "@ttcs/units";
import { TimeDaemon } from "./daemon.ts";
import { HostClock } from "./host-clock.ts";
import { Mail } from "./mail.ts";
import type { SimOptions } from "./options.ts";
import { Prober } from "./prober.ts";
import { Stamper } from "./stamper.ts";
import { readTriples } from "./triples.ts";

/** The reference's system clock is off UTC by this at the start (ns). */
const REFERENCE_ERROR_NS = 20_000;
/** Of what arrives in a pause, so much is kept at most (ns): less than a crystal's past. */
const BUFFERED_NS = 20e9;
/** A new process numbers its pairs above those of the one before. */
const PAIRS_PER_LIFE = 1e9;

// Reused for every batch.
const leaving = new Mail();
const coming = new Mail();

/** See the module head. */
export class SimHost {
  readonly index: number;
  readonly id: string;
  readonly isReference: boolean;
  /** True: a time daemon of its own steers the clock, we do not. */
  readonly hasSource: boolean;
  /** Empty where there is one. */
  readonly region: string;
  readonly clock: HostClock;
  readonly stamper: Stamper;
  readonly prober: Prober;
  readonly daemon: TimeDaemon | undefined;
  readonly inbox = new Mail();
  readonly #outbox = new Mail();
  readonly #random: Prng;
  readonly #options: SimOptions;
  core: AgentCore;
  alive = false;
  /** Number dealt by the coordinator; 0: none yet. */
  number = 0;
  /** Who stands behind the numbers that this host was dealt. */
  peers: ReadonlyMap<number, SimHost> = new Map();
  /** Stream to the coordinator; 0: none. */
  connection = 0;
  /** Partitions in force; while there is one nothing passes between this host and the coordinator. */
  partitions = 0;
  pausedUntilNs = 0;
  boots = 0;
  /** What the agent has saved for its next life. */
  saved: string | undefined;
  #lives = 0;
  #batchedNs = 0;
  /** What it adds to its transmit stamps, by number of the receiver. */
  lieNs: ((peer: number) => number) | undefined;

  constructor(index: number, options: SimOptions) {
    const stream = (purpose: number) => new Prng(mix32(mix32(options.seed, 1000 + index), purpose));
    this.index = index;
    this.id = `h${index + 1}`;
    this.isReference = index === 0;
    this.hasSource = index < options.sources;
    this.region = options.regions > 1 ? `r${index % options.regions}` : "";
    this.#options = options;
    this.#random = stream(1);
    const { systemErrorNs } = options;
    const errorNs = this.hasSource
      ? REFERENCE_ERROR_NS
      : this.#random.between(-systemErrorNs, systemErrorNs);
    this.clock = new HostClock(options.crystal, errorNs, stream(2));
    this.stamper = new Stamper(options.stamps, stream(3));
    this.prober = new Prober(options.spacingNs, stream(4));
    this.daemon = this.hasSource ? new TimeDaemon(this.clock, stream(5)) : undefined;
    this.core = this.#newCore();
  }

  get partitioned(): boolean {
    return this.partitions > 0;
  }

  /** Starts an agent's process; its clocks go on. */
  start(nowNs: number): void {
    this.alive = true;
    this.core = this.#newCore();
    this.number = 0;
    this.inbox.length = 0;
    this.#outbox.length = 0;
    this.prober.restart(this.#lives++ * PAIRS_PER_LIFE);
    this.#batchedNs = nowNs;
  }

  stop(): void {
    this.alive = false;
    this.connection = 0;
    this.prober.restart(0);
  }

  /** Changes when the machine boots. */
  get bootId(): string {
    return `${this.id} ${this.boots}`;
  }

  rawAt(nowNs: number): RawNanos {
    return this.clock.rawAt(nowNs);
  }

  /** Nothing is run until `untilNs`: what would have been sent is not. */
  pause(nowNs: number, untilNs: number): void {
    this.pausedUntilNs = Math.max(this.pausedUntilNs, untilNs);
    this.#outbox.drop(nowNs, untilNs);
  }

  /** What the timestamper hands over at `nowNs`; sends the probes of the time until the next. */
  batch(nowNs: number): TimestamperBatch {
    const { batchNs, triplesPerBatch } = this.#options;
    // Readings are taken while the agent runs: after a pause there are those of the last batch only.
    const sinceNs = Math.max(this.#batchedNs, nowNs - batchNs);
    // What came long before the end of a pause has overflowed the socket's buffer.
    const oldestNs = nowNs - BUFFERED_NS;
    if (this.#batchedNs < oldestNs) {
      this.#outbox.drop(0, oldestNs);
      this.inbox.drop(0, oldestNs);
    }
    this.#outbox.takeUntil(nowNs, leaving);
    this.inbox.takeUntil(nowNs, coming);
    this.#batchedNs = nowNs;
    this.prober.skipTo(nowNs);
    this.prober.sendUntil(nowNs + batchNs, this.number, this.#outbox);
    const sent = this.stamper.sent(leaving, this.clock, this.lieNs);
    const received = this.stamper.received(coming, this.clock);
    const source = this.daemon;
    return {
      sent,
      received,
      triples: readTriples(this.clock, sinceNs, nowNs, triplesPerBatch, this.#random),
      rawNs: this.rawAt(nowNs),
      status: {
        freqPpb: this.clock.settingPpb,
        maxErrorNs: source ? source.maxErrorNs(nowNs) : 16e9,
        estErrorNs: source ? source.maxErrorNs(nowNs) : 16e9,
        synchronised: source !== undefined,
      },
      counters: {
        sent: this.prober.sentCount,
        sendErrors: 0,
        sentStamped: this.prober.sentCount,
        received: received.length,
        receivedUnstamped: this.stamper.unstampedCount,
        malformed: 0,
        unknownKeys: 0,
        replayed: 0,
        forged: 0,
        unknownSenders: 0,
        unkeyed: 0,
        injectedLoss: 0,
      },
    };
  }

  #newCore(): AgentCore {
    return new AgentCore({
      hostId: this.id,
      domain: "default",
      region: this.region,
      correctClock: !this.hasSource,
      coordinatorAddress: "coordinator",
      stateFile: `${this.id}/agent-state.json`,
    });
  }
}
