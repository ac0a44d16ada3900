/** The file that tells other programs of a running laboratory, and of one that has ended. */
import { renameSync, writeFileSync } from "node:fs";
import type { DeedResult } from "./chaos/verdict.ts";
import type { LabSummary } from "./figures.ts";
import type { LabHost } from "./plan.ts";
import type { ProfileName } from "./profiles.ts";

/** What goes into the file. */
export interface LabFileContent {
  readonly seed: number;
  readonly profile: ProfileName;
  readonly namespaces: boolean;
  readonly hosts: readonly LabHost[];
  readonly pids: ReadonlyMap<string, number>;
  readonly servers: readonly LabServer[];
  readonly natNamespace: string | undefined;
  readonly crossTraffic: CrossTraffic | undefined;
  readonly summary: LabSummary | undefined;
  readonly chaos: readonly DeedResult[] | undefined;
}

/** One server of a laboratory. */
export interface LabServer {
  readonly id: string;
  readonly address: string;
  readonly namespace: string | undefined;
}

/** Cross traffic as it really was. */
export interface CrossTraffic {
  /** Hosts that it is sent to, by id. */
  readonly hosts: readonly string[];
  /** Towards each of them (Mbit/s). */
  readonly mbit_per_s: number;
  /** Frames that the shapers in front of them have dropped. */
  readonly dropped: number;
}

/** Writes the file whole or not at all: others read it while it is renewed. */
export function writeLabFile(path: string, content: LabFileContent): void {
  const { seed, profile, namespaces, hosts, pids, crossTraffic, summary } = content;
  const servers = content.servers.map(({ id, address, namespace }) => {
    return { pid: pids.get(id), url: null, address, namespace: namespace ?? null };
  });
  const document = {
    seed,
    profile,
    namespaces,
    server: {
      ...servers[0],
      ...(content.natNamespace ? { nat_namespace: content.natNamespace } : {}),
    },
    ...(servers.length > 1 ? { standby_servers: servers.slice(1) } : {}),
    agents: hosts.map(({ id, role, status, address, namespace }) => ({
      id,
      pid: pids.get(id),
      role,
      status,
      address,
      namespace: namespace ?? null,
    })),
    ...(crossTraffic ? { cross_traffic: crossTraffic } : {}),
    ...(summary ? { summary } : {}),
    ...(content.chaos ? { chaos: content.chaos } : {}),
  };
  writeFileSync(`${path}.new`, `${JSON.stringify(document, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}
