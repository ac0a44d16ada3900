/**
 * The agent's process: sockets, files and timers around the core.
 *
 * Events of the timestamper, the coordinator and the neighbours go into the core one at a time; the
 * actions that come out are carried out here. Nothing is decided in this file.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type AgentConfig,
  type ExchangeFlush,
  type HelloSchema,
  hostPort,
  PROBE_DOMAIN_NUMBER,
} from "@ttcs/protocol";
import {
  type LabOptions,
  type MeteredTimestamper,
  openTimestamper,
  type ProbeTarget,
  type TimestamperBatch,
} from "@ttcs/timestamper";
import { failpoint, hashText, type RawNanos, rawNanos, SOFTWARE_VERSION } from "@ttcs/units";
import type { Logger } from "pino";
import type { AgentAction } from "../core/actions.ts";
import { AgentCore } from "../core/agent.ts";
import { nowStatus } from "../core/now.ts";
import { type AgentStatus, agentStatus } from "../core/status.ts";
import { resolveAddress } from "./address.ts";
import { limitConnectTime } from "./connect-deadline.ts";
import { CoordinatorLink } from "./coordinator-link.ts";
import { prefixed } from "./counters.ts";
import { Door } from "./door.ts";
import { Membership } from "./identity/membership.ts";
import { CpuMeter, type CpuSeconds } from "./meter.ts";
import { PeerLinks } from "./peer-links.ts";
import { type FlushRecorder, flushRecorder } from "./recorder.ts";
import { StateFile } from "./state-file.ts";
import { type StatusServer, serveStatus } from "./status-socket.ts";
import type { TlsIdentity } from "./tls-entry.ts";

/** An agent has some ten neighbours, an anchor up to 64, and a mesh may be dealt anew meanwhile. */
const PROVED_MAX = 256;
/** Tells this run of the agent from all others. */
const INSTANCE_BYTES = 16;
/** What is saved at the end may take so long (ms). */
const LAST_WRITE_MS = 2_000;
/** A status is this old at most when it is told (ms): less than the time between two batches. */
const STATUS_MS = 40;

/** The status as the process tells it. */
export type ProcessStatus = AgentStatus & { readonly cpu: CpuSeconds };

/** A configuration with its ports filled in. */
export type ReadyConfig = AgentConfig & { readonly probePort: number; readonly agentPort: number };

/** A running agent. */
export class Agent {
  readonly #config: ReadyConfig;
  readonly #log: Logger;
  readonly #core: AgentCore;
  readonly #membership: Membership;
  readonly #identity: { hostId: string; domain: string; correctClock: boolean };
  readonly #record: FlushRecorder;
  readonly #state: StateFile;
  readonly #meter = new CpuMeter();
  readonly #door: Door;
  readonly #peers: PeerLinks;
  #timestamper: MeteredTimestamper | undefined;
  #link: CoordinatorLink | undefined;
  #status!: StatusServer;
  #probeAddress = "";
  #targets: readonly ProbeTarget[] = [];
  /** Neighbours that were named as being of the other address family. */
  readonly #unreachable = new Set<string>();
  #quiet = false;
  #toldStatus = "";
  #toldMs = 0;
  /** Raw clock at the last batch, and the monotonic clock then (ns). */
  #lastRawNs = 0n;
  #lastMonotonicNs = 0n;
  #closed = false;

  constructor(config: ReadyConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    const hostId = config.hostId || hostname();
    this.#identity = { hostId, domain: config.domain, correctClock: config.correctClock };
    this.#membership = new Membership(config, hostId, this.#coordinatorAddresses(), log);
    this.#record = flushRecorder(config.labClock?.recordDir, hostId);
    this.#state = new StateFile(config.stateDir, (fault) =>
      this.#run(this.#core.handleSaved(fault)),
    );
    this.#core = new AgentCore({
      ...this.#identity,
      stateFile: this.#state.path,
      region: config.region,
      coordinatorAddress: this.#coordinatorAddress(),
      meter: this.#meter,
    });
    this.#door = new Door({ name: "agents' port", provedMax: PROVED_MAX }, log);
    const onFlush = (flush: ExchangeFlush) => this.#run(this.#core.handleFlush(flush));
    this.#peers = new PeerLinks(onFlush, this.#door, this.#meter);
  }

  /**
   * Starts an agent; it runs until `close`.
   *
   * @param onFatal called when it cannot go on
   * @throws TtcsError when an address, a port or the kernel's stamps are not to be had
   */
  static async start(
    config: ReadyConfig,
    log: Logger,
    onFatal: (error: Error) => void,
  ): Promise<Agent> {
    const agent = new Agent(config, log);
    await agent.#open(onFatal);
    return agent;
  }

  async close(): Promise<void> {
    failpoint("agent.close");
    this.#run(this.#core.handleEnd());
    this.#closed = true;
    this.#membership.close();
    this.#link?.close();
    this.#peers.close();
    this.#status.close();
    await this.#timestamper?.close();
    // A disk that hangs must not keep an agent from ending.
    await Promise.race([
      this.#state.settled(),
      setTimeout(LAST_WRITE_MS, undefined, { ref: false }),
    ]);
  }

  /** Sends no probes any more and goes on in everything else, so that counters come to rest. */
  quiet(): void {
    this.#quiet = true;
    this.#timestamper?.setTargets(this.#targets, 0);
  }

  async #open(onFatal: (error: Error) => void): Promise<void> {
    failpoint("agent.start");
    limitConnectTime();
    const config = this.#config;
    this.#status = await serveStatus(config.statusSocket, {
      status: () => this.#statusText(),
      now: () => this.#now(),
    });
    failpoint("agent.start.status");
    const identity = this.#membership.read();
    const probeAddress = await resolveAddress(config.probeAddress);
    const managementAddress = await resolveAddress(config.managementAddress);
    this.#probeAddress = probeAddress;
    await this.#peers.listen(managementAddress, config.agentPort);
    if (identity) this.#peers.present(identity);
    failpoint("agent.start.peers");
    const timestamper = await openTimestamper(
      {
        address: probeAddress,
        port: config.probePort,
        pacingSeed: hashText(this.#identity.hostId),
        ...(config.labClock ? { lab: labOptions(config.labClock) } : {}),
      },
      (batch) => this.#onBatch(batch),
      onFatal,
    );
    failpoint("agent.start.timestamper");
    this.#timestamper = timestamper;
    this.#tick(timestamper.startRawNs);
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    this.#run(this.#core.handleStart(this.#state.read(), bootId, rawNanos(timestamper.startRawNs)));
    const hello = {
      hostId: this.#identity.hostId,
      region: config.region,
      clockQuality: config.clockQuality,
      correctClock: config.correctClock,
      probeAddress,
      probePort: timestamper.probePort,
      managementAddress,
      agentPort: this.#peers.port,
      softwareVersion: SOFTWARE_VERSION,
      bootId,
      instance: randomBytes(INSTANCE_BYTES),
    };
    this.#log.info({ ...hello, instance: undefined }, "agent started");
    if (identity) this.#connect(identity, hello);
    else
      void this.#enter(
        this.#membership.enrol((reason) => this.#refused(reason)),
        hello,
      );
  }

  #connect(identity: TlsIdentity, hello: MessageInitShape<typeof HelloSchema>): void {
    this.#link = new CoordinatorLink(this.#coordinatorAddresses(), identity, {
      onOpen: () => this.#run(this.#core.handleConnected(hello)),
      onMessage: (m) => {
        this.#run(this.#core.handleMessage(m, this.#nowRawNs()));
        const { body } = m;
        if (body.case === "refusal" && body.value.certificateEnded) void this.#renew(hello);
      },
      onClose: (reason) => this.#run(this.#core.handleDisconnected(reason)),
    });
    this.#link.open();
  }

  /** The certificate has ended; another one may be given for the token. */
  async #renew(hello: MessageInitShape<typeof HelloSchema>): Promise<void> {
    this.#link?.close();
    await this.#enter(
      this.#membership.renew((reason) => this.#refused(reason)),
      hello,
    );
  }

  #refused(reason: string): void {
    this.#run(this.#core.handleRefused(reason));
  }

  async #enter(
    enrolled: Promise<TlsIdentity | undefined>,
    hello: MessageInitShape<typeof HelloSchema>,
  ): Promise<void> {
    const identity = await enrolled;
    if (!identity) return;
    this.#peers.present(identity);
    this.#connect(identity, hello);
  }

  async #now() {
    // Until the kernel's stamps are proved there is no clock to read.
    if (!this.#timestamper) throw new Error("the agent is starting");
    return nowStatus(this.#core, this.#identity.hostId, await this.#timestamper.read());
  }

  /** Who asks all the time gets the same answer for a moment: asking must not cost the rounds. */
  #statusText(): string {
    const nowMs = performance.now();
    if (this.#toldStatus === "" || nowMs - this.#toldMs >= STATUS_MS) {
      this.#toldStatus = JSON.stringify(this.#processStatus());
      this.#toldMs = nowMs;
    }
    return this.#toldStatus;
  }

  #processStatus(): ProcessStatus {
    const status = agentStatus(this.#core, this.#identity, this.#nowRawNs());
    const counters = {
      ...status.counters,
      ...prefixed("peer_", this.#peers.counters),
      ...prefixed("agent_port_", this.#door.counters),
      ...prefixed("coordinator_", this.#link?.counters ?? {}),
      ...prefixed("status_", this.#status.counters),
      ...prefixed("state_file_", this.#state.counters),
    };
    return { ...status, counters, cpu: this.#meter.seconds(this.#timestamper?.cpuS ?? 0) };
  }

  /** Starts probing; names once who cannot be reached because his address is of the other family. */
  #probe(targets: readonly ProbeTarget[], pairsPerSecond: number): void {
    this.#targets = targets;
    const isV6 = isIPv6(this.#probeAddress);
    for (const { address } of targets) {
      if (isIPv6(address) === isV6 || this.#unreachable.has(address)) continue;
      this.#unreachable.add(address);
      this.#log.warn(
        `cannot probe the neighbour at ${address} from ${this.#probeAddress}: ` +
          "one is IPv4, the other IPv6; give both a probe_address of one family",
      );
    }
    this.#timestamper?.setTargets(targets, this.#quiet ? 0 : pairsPerSecond);
  }

  #coordinatorAddress(): string {
    const { coordinatorAddress, coordinatorSubscriptionServicePort } = this.#config;
    return hostPort(coordinatorAddress, coordinatorSubscriptionServicePort);
  }

  #coordinatorAddresses(): string[] {
    const { standbyCoordinatorAddresses, coordinatorSubscriptionServicePort: port } = this.#config;
    const hasPort = (address: string) => /^(\[.*\]|[^:]*):\d+$/.test(address);
    const standbys = standbyCoordinatorAddresses.map((a) => (hasPort(a) ? a : hostPort(a, port)));
    return [this.#coordinatorAddress(), ...standbys];
  }

  #onBatch(batch: TimestamperBatch): void {
    failpoint("agent.batch.before");
    this.#tick(batch.rawNs);
    this.#run(this.#core.handleBatch(batch));
    failpoint("agent.batch.after");
  }

  #tick(rawNs: bigint): void {
    this.#lastRawNs = rawNs;
    this.#lastMonotonicNs = process.hrtime.bigint();
  }

  /** The raw clock now: the last batch's, carried on by the monotonic clock for some ms. */
  #nowRawNs(): RawNanos {
    return rawNanos(this.#lastRawNs + (process.hrtime.bigint() - this.#lastMonotonicNs));
  }

  #run(actions: readonly AgentAction[]): void {
    for (const action of actions) if (!this.#closed) this.#perform(action);
  }

  #perform(action: AgentAction): void {
    switch (action.kind) {
      case "identify": {
        failpoint("agent.identify");
        const { hostNumber } = action;
        this.#timestamper?.setIdentity({ domainNumber: PROBE_DOMAIN_NUMBER, hostNumber });
        break;
      }
      case "probe":
        failpoint("agent.probe");
        this.#probe(action.targets, action.pairsPerSecond);
        break;
      case "keys":
        this.#timestamper?.setKeys(action.keys);
        break;
      case "neighbours":
        failpoint("agent.neighbours");
        this.#peers.setNeighbours(action.neighbours);
        break;
      case "flush":
        failpoint("agent.flush");
        this.#record(action.message);
        this.#meter.begin("exchange");
        this.#peers.send(action.hostNumber, action.message);
        this.#meter.end();
        break;
      case "report":
        failpoint("agent.report");
        this.#link?.send(action.message);
        break;
      case "adjust":
        void this.#adjust(action.freqPpb);
        break;
      case "step":
        void this.#step(action.stepNs, action.freqPpb);
        break;
      case "errors":
        failpoint("agent.errors");
        this.#timestamper?.setErrors(action.maxErrorNs, action.estErrorNs, action.synchronised);
        break;
      case "save":
        this.#state.write(action.text);
        break;
      case "log":
        this.#log[action.level](action.text);
        break;
    }
  }

  async #adjust(freqPpb: number): Promise<void> {
    try {
      failpoint("agent.adjust.before");
      const rawNs = await this.#timestamper!.adjustFrequency(freqPpb);
      failpoint("agent.adjust.after");
      this.#run(this.#core.handleAdjusted(rawNanos(rawNs), freqPpb));
    } catch (error) {
      this.#run(this.#core.handleWriteFailed((error as Error).message));
    }
  }

  async #step(stepNs: number, freqPpb: number): Promise<void> {
    try {
      failpoint("agent.step.before");
      const rawNs = await this.#timestamper!.step(stepNs);
      failpoint("agent.step.after");
      this.#run(this.#core.handleStepped(rawNanos(rawNs), stepNs));
    } catch (error) {
      return this.#run(this.#core.handleWriteFailed((error as Error).message));
    }
    await this.#adjust(freqPpb);
  }
}

function labOptions(lab: NonNullable<AgentConfig["labClock"]>): LabOptions {
  const link = lab.link;
  return {
    seed: lab.seed,
    index: lab.index,
    stateDir: lab.stateDir,
    startKernelRawNs: lab.startKernelRawNs,
    startUnixNs: lab.startUnixNs,
    timeDaemon: lab.timeDaemon,
    link: {
      baseDelayNs: link?.baseDelayNs ?? 0,
      jitterNs: link?.jitterNs ?? 0,
      loss: link?.loss ?? 0,
      asymmetryNs: link?.asymmetryNs ?? 0,
      asymmetricShare: link?.asymmetricShare ?? 0,
      queueLoad: link?.queueLoad ?? 0,
      queueServiceNs: link?.queueServiceNs ?? 0,
      spikeShare: link?.spikeShare ?? 0,
      spikeNs: link?.spikeNs ?? 0,
    },
    ...(lab.slewNs
      ? { slew: { slewNs: lab.slewNs, atS: lab.slewAtS, ratePpb: lab.slewRatePpb } }
      : {}),
    ...(lab.recordDir ? { recordDir: lab.recordDir } : {}),
  };
}
