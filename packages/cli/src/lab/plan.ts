/** What a laboratory consists of: hosts, their clocks and links, and the files between them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { AgentConfigSchema, formatAgentConfig, hostPort } from "@ttcs/protocol";
import type { LabOptions } from "@ttcs/timestamper";
import type { Enrolment } from "../identity/enrolment.ts";
import type { LabNetwork, LabPorts } from "./network.ts";
import { PROFILES, type ProfileName } from "./profiles.ts";

/** One host of the plan. */
export interface LabHost {
  readonly id: string;
  readonly role: "reference" | "agent";
  /** As in the configuration: the best one leads. */
  readonly clockQuality: number;
  readonly address: string;
  /** Name of its network namespace; undefined on loopback. */
  readonly namespace: string | undefined;
  readonly configFile: string;
  /** Unix socket for `ttcs-agentq --address`. */
  readonly status: string;
  /** Folder of what must survive a restart of the agent. */
  readonly persistentDir: string;
  readonly clock: LabOptions;
}

/** Instants of the kernel's clocks at which the laboratory begins (ns). */
export interface LabStart {
  readonly kernelRawNs: bigint;
  readonly unixNs: bigint;
}

/** What all hosts of a plan have in common. */
export interface PlanOptions {
  readonly hosts: number;
  readonly seed: number;
  readonly profile: ProfileName;
  /** True: the reference's time daemon slews its clock once. */
  readonly slew: boolean;
  /** Folder for what the hosts' stamps are; undefined: nothing is recorded. */
  readonly recordDir: string | undefined;
}

/** The slew of the reference's time daemon: 2 ms in 4 s, as fast as a kernel slews. */
const SLEW = { slewNs: 2_000_000, atS: 30, ratePpb: 500_000 };

/** Ids of `count` hosts; the first one is the reference. */
export const hostIds = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `h${index + 1}`);

/** Plans the hosts of a laboratory with folders in `dir`. */
export function planHosts(
  options: PlanOptions,
  dir: string,
  start: LabStart,
  network: LabNetwork,
): LabHost[] {
  return hostIds(options.hosts).map((id, index) => {
    const hostDir = join(dir, id);
    mkdirSync(join(hostDir, "state"), { recursive: true });
    return {
      id,
      role: index === 0 ? "reference" : "agent",
      clockQuality: index === 0 ? 10 : 1,
      address: network.address(index),
      namespace: network.namespace(index),
      configFile: join(hostDir, "ttcs-agent.cfg"),
      status: join(hostDir, "agent.sock"),
      persistentDir: join(hostDir, "state"),
      clock: {
        seed: options.seed,
        index,
        stateDir: hostDir,
        startKernelRawNs: start.kernelRawNs,
        startUnixNs: start.unixNs,
        timeDaemon: index === 0,
        link: PROFILES[options.profile],
        ...(index === 0 && options.slew ? { slew: SLEW } : {}),
        ...(options.recordDir ? { recordDir: options.recordDir } : {}),
      },
    };
  });
}

/** Where an agent finds the server, and its own ports. */
export interface ConfigOptions {
  /** The first one is asked first. */
  readonly servers: readonly { readonly address: string; readonly port: number }[];
  readonly ports: LabPorts;
  readonly enrolment: Enrolment;
}

/** Writes the configuration file of a host. */
export function writeConfig(host: LabHost, options: ConfigOptions): void {
  const { slew, ...clock } = host.clock;
  const [first, ...standbys] = options.servers;
  const config = create(AgentConfigSchema, {
    managementAddress: host.address,
    probeAddress: host.address,
    logDir: host.clock.stateDir,
    subscriptionMode: false,
    coordinatorAddress: first.address,
    coordinatorSubscriptionServicePort: first.port,
    standbyCoordinatorAddresses: standbys.map(({ address, port }) => hostPort(address, port)),
    stateDir: host.persistentDir,
    clockQuality: host.clockQuality,
    correctClock: host.role !== "reference",
    hostId: host.id,
    domain: "default",
    probePort: options.ports.probe,
    agentPort: options.ports.agent,
    statusSocket: host.status,
    ...options.enrolment,
    labClock: {
      ...clock,
      ...(slew ? { slewNs: slew.slewNs, slewAtS: slew.atS, slewRatePpb: slew.ratePpb } : {}),
    },
  });
  writeFileSync(host.configFile, formatAgentConfig(config), { mode: 0o600 });
}
