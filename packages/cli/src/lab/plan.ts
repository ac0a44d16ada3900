/** What a laboratory consists of: hosts, their clocks and links, and the files between them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { AgentConfigSchema, formatAgentConfig } from "@ttcs/protocol";
import type { LabOptions } from "@ttcs/timestamper";

/** Links of a quiet local network: 10 us one way, exponential queueing of 1 us, rare loss. */
const QUIET_LINK = {
  baseDelayNs: 10_000,
  jitterNs: 1_000,
  loss: 0.001,
  asymmetryNs: 0,
  asymmetricShare: 0,
  queueLoad: 0,
  queueServiceNs: 0,
  spikeShare: 0,
  spikeNs: 0,
};

/** One host of the plan. */
export interface LabHost {
  readonly id: string;
  readonly role: "reference" | "agent";
  readonly address: string;
  readonly configFile: string;
  /** Unix socket for `ttcs-agentq --address`. */
  readonly status: string;
  readonly clock: LabOptions;
}

/** Instants of the kernel's clocks at which the laboratory begins (ns). */
export interface LabStart {
  readonly kernelRawNs: bigint;
  readonly unixNs: bigint;
}

/** Plans `count` hosts in folder `dir`; the first one is the reference. */
export function planHosts(count: number, seed: number, dir: string, start: LabStart): LabHost[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `h${index + 1}`;
    const hostDir = join(dir, id);
    mkdirSync(hostDir, { recursive: true });
    return {
      id,
      role: index === 0 ? "reference" : "agent",
      // Every address of 127/8 is local; one per host keeps their sockets apart.
      address: `127.0.${1 + Math.floor(index / 200)}.${1 + (index % 200)}`,
      configFile: join(hostDir, "ttcs-agent.cfg"),
      status: join(hostDir, "agent.sock"),
      clock: {
        seed,
        index,
        stateDir: hostDir,
        startKernelRawNs: start.kernelRawNs,
        startUnixNs: start.unixNs,
        timeDaemon: index === 0,
        link: QUIET_LINK,
      },
    };
  });
}

/** Writes the configuration file of a host. */
export function writeConfig(host: LabHost, serverPort: number): void {
  const { link, slew, ...clock } = host.clock;
  const reference = host.role === "reference";
  const config = create(AgentConfigSchema, {
    managementAddress: host.address,
    probeAddress: host.address,
    logDir: host.clock.stateDir,
    subscriptionMode: false,
    coordinatorAddress: "127.0.0.1",
    coordinatorSubscriptionServicePort: serverPort,
    clockQuality: reference ? 10 : 1,
    correctClock: !reference,
    hostId: host.id,
    domain: "default",
    probePort: 0,
    agentPort: 0,
    statusSocket: host.status,
    labClock: {
      ...clock,
      link,
      ...(slew ? { slewNs: slew.slewNs, slewAtS: slew.atS, slewRatePpb: slew.ratePpb } : {}),
    },
  });
  writeFileSync(host.configFile, formatAgentConfig(config));
}
