/**
 * The agent's process: sockets, files and timers around the core.
 *
 * Events of the timestamper, the coordinator and the neighbours go into the core one at a time; the
 * actions that come out are carried out here. Nothing is decided in this file.
 */
import { readFileSync } from "node:fs";
import type { Server } from "node:net";
import { hostname } from "node:os";
import { type AgentConfig, hostPort, PROBE_DOMAIN_NUMBER } from "@ttcs/protocol";
import {
  type LabOptions,
  openTimestamper,
  type Timestamper,
  type TimestamperBatch,
} from "@ttcs/timestamper";
import { hashText, type RawNanos, rawNanos, SOFTWARE_VERSION } from "@ttcs/units";
import type { Logger } from "pino";
import { type AgentAction, AgentCore } from "../core/agent.ts";
import { nowStatus } from "../core/now.ts";
import { agentStatus } from "../core/status.ts";
import { resolveAddress } from "./address.ts";
import { CoordinatorLink } from "./coordinator-link.ts";
import { PeerLinks } from "./peer-links.ts";
import { serveStatus } from "./status-socket.ts";

/** A configuration with its ports filled in. */
export type ReadyConfig = AgentConfig & { readonly probePort: number; readonly agentPort: number };

/** A running agent. */
export class Agent {
  readonly #config: ReadyConfig;
  readonly #log: Logger;
  readonly #core: AgentCore;
  readonly #identity: { hostId: string; domain: string; correctClock: boolean };
  #timestamper!: Timestamper;
  #peers!: PeerLinks;
  #link!: CoordinatorLink;
  #status!: Server;
  /** Raw clock at the last batch, and the monotonic clock then (ns). */
  #lastRawNs = 0n;
  #lastMonotonicNs = 0n;
  #closed = false;

  constructor(config: ReadyConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    const hostId = config.hostId || hostname();
    this.#identity = { hostId, domain: config.domain, correctClock: config.correctClock };
    this.#core = new AgentCore({
      ...this.#identity,
      coordinatorAddress: this.#coordinatorAddress(),
    });
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
    this.#closed = true;
    this.#link.close();
    this.#peers.close();
    this.#status.close();
    await this.#timestamper.close();
  }

  async #open(onFatal: (error: Error) => void): Promise<void> {
    const config = this.#config;
    this.#status = await serveStatus(config.statusSocket, {
      status: () => agentStatus(this.#core, this.#identity, this.#nowRawNs()),
      now: async () => nowStatus(this.#core, this.#identity.hostId, await this.#timestamper.read()),
    });
    const probeAddress = await resolveAddress(config.probeAddress);
    const managementAddress = await resolveAddress(config.managementAddress);
    this.#peers = new PeerLinks((flush) => this.#run(this.#core.handleFlush(flush)));
    await this.#peers.listen(managementAddress, config.agentPort);
    this.#timestamper = await openTimestamper(
      {
        address: probeAddress,
        port: config.probePort,
        pacingSeed: hashText(this.#identity.hostId),
        ...(config.labClock ? { lab: labOptions(config.labClock) } : {}),
      },
      (batch) => this.#onBatch(batch),
      onFatal,
    );
    this.#tick(this.#timestamper.startRawNs);
    const hello = {
      hostId: this.#identity.hostId,
      region: config.region,
      clockQuality: config.clockQuality,
      correctClock: config.correctClock,
      probeAddress,
      probePort: this.#timestamper.probePort,
      managementAddress,
      agentPort: this.#peers.port,
      softwareVersion: SOFTWARE_VERSION,
      bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    };
    this.#link = new CoordinatorLink(this.#coordinatorAddress(), {
      onOpen: () => this.#run(this.#core.handleConnected(hello)),
      onMessage: (m) => this.#run(this.#core.handleMessage(m, this.#nowRawNs())),
      onClose: (reason) => this.#run(this.#core.handleDisconnected(reason)),
    });
    this.#log.info({ ...hello }, "agent started");
    this.#link.open();
  }

  #coordinatorAddress(): string {
    const { coordinatorAddress, coordinatorSubscriptionServicePort } = this.#config;
    return hostPort(coordinatorAddress, coordinatorSubscriptionServicePort);
  }

  #onBatch(batch: TimestamperBatch): void {
    this.#tick(batch.rawNs);
    this.#run(this.#core.handleBatch(batch));
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
        const { hostNumber } = action;
        this.#timestamper.setIdentity({ domainNumber: PROBE_DOMAIN_NUMBER, hostNumber });
        break;
      }
      case "probe":
        this.#timestamper.setTargets(action.targets, action.pairsPerSecond);
        break;
      case "neighbours":
        this.#peers.setNeighbours(action.neighbours);
        break;
      case "flush":
        this.#peers.send(action.hostNumber, action.message);
        break;
      case "report":
        this.#link.send(action.message);
        break;
      case "adjust":
        void this.#adjust(action.freqPpb);
        break;
      case "step":
        void this.#step(action.stepNs, action.freqPpb);
        break;
      case "errors":
        this.#timestamper.setErrors(action.maxErrorNs, action.estErrorNs, action.synchronised);
        break;
      case "log":
        this.#log[action.level](action.text);
        break;
    }
  }

  async #adjust(freqPpb: number): Promise<void> {
    try {
      const rawNs = await this.#timestamper.adjustFrequency(freqPpb);
      this.#run(this.#core.handleAdjusted(rawNanos(rawNs), freqPpb));
    } catch (error) {
      this.#run(this.#core.handleWriteFailed((error as Error).message));
    }
  }

  async #step(stepNs: number, freqPpb: number): Promise<void> {
    try {
      const rawNs = await this.#timestamper.step(stepNs);
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
  };
}
