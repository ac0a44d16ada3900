/** What a deed can lay hands on: the parts of a laboratory, and who is meant by a target. */
import type { TestPostgres } from "@ttcs/store/testing";
import type { Fleet } from "../fleet.ts";
import { cutObstacle } from "../namespaces.ts";
import type { LabNetwork } from "../network.ts";
import type { LabHost } from "../plan.ts";
import type { SmallDisks } from "./small-disks.ts";
import type { Need, Target } from "./types.ts";

/** See the module head. */
export interface Stage {
  readonly hosts: readonly LabHost[];
  readonly fleet: Fleet;
  readonly network: LabNetwork;
  readonly database: TestPostgres | undefined;
  readonly disks: SmallDisks;
  /** Name of the server whose corrections are obeyed. */
  leader(): Promise<string>;
}

/** Who is who when a deed begins. */
export interface Cast {
  readonly reference: string;
  readonly leader: string;
  /** All hosts but the reference. */
  readonly agents: readonly string[];
  /** Those of them with small disks. */
  readonly diskAgents: readonly string[];
}

/** Names of those that a target means; none when there are not so many. */
export function namesOf(target: Target, cast: Cast, servers: readonly string[]): string[] {
  if (target === "reference") return [cast.reference];
  if (target === "leader") return [cast.leader];
  if (target === "agents") return [...cast.agents];
  if (target === "disk-agent") return cast.diskAgents.slice(0, 1);
  const [kind, index] = target.split(":");
  const list = kind === "agent" ? cast.agents : servers;
  const name = list[Number(index)];
  return name === undefined ? [] : [name];
}

/** Why a need is not met; undefined when it is. */
export function obstacleOf(need: Need, stage: Stage): string | undefined {
  switch (need) {
    case "namespaces":
      return stage.network.cut ? cutObstacle() : "needs network namespaces, so root";
    case "two-servers":
      return stage.fleet.serverIds.length < 2 ? "needs --servers 2" : undefined;
    case "database":
      return stage.database === undefined ? "needs --servers 2 and their PostgreSQL" : undefined;
    case "small-disks":
      return stage.disks.obstacle;
  }
}
