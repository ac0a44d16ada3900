/**
 * A host's place in the mesh: the number and the neighbours that a coordinator has dealt to it.
 *
 * A process that starts again within a minute or two takes its place at once, before a coordinator has
 * been found: neighbours still know it, and what they have learnt of the edges is worth more the sooner
 * probes go on. A coordinator that deals another place is followed as ever; until then a place that is
 * no longer ours is one at which nobody listens.
 *
 * Keys for probes are not kept: another run of the agent is dealt others, and until then it neither sends
 * nor lets in any.
 */
import { fromJson, toJson } from "@bufbuild/protobuf";
import { type Assignment, AssignmentSchema } from "@ttcs/protocol";
import { type RawNanos, SECOND_NS } from "@ttcs/units";
import type { AgentAction } from "./actions.ts";

/**
 * A coordinator deals the neighbours of somebody who is away for a minute to others; what was saved may
 * itself be a minute old (ns).
 */
const AGE_NS_MAX = 120 * SECOND_NS;

/**
 * No mesh gives a host more neighbours: an anchor has 64, and gateway edges beside them. Each costs memory,
 * and is sent probes to, whoever is there.
 */
const NEIGHBOURS_MAX = 256;

/** See the module head. */
export interface Place {
  readonly hostNumber: number;
  readonly assignment: Assignment;
}

/** Why this cannot be a place in a mesh; undefined: it can. */
export function placeFault({ hostNumber, assignment }: Place): string | undefined {
  if (hostNumber === 0) return "this host has no number";
  const { length } = assignment.neighbours;
  return length > NEIGHBOURS_MAX ? `${length} are more than any mesh deals` : undefined;
}

/** As a part of what is saved. */
export const placeToJson = ({ hostNumber, assignment }: Place) => ({
  host_number: hostNumber,
  assignment: toJson(AssignmentSchema, withoutKeys(assignment)),
});

function withoutKeys(assignment: Assignment): Assignment {
  const neighbours = assignment.neighbours.map(({ sendKey: _, receiveKey: __, ...n }) => n);
  return { ...assignment, neighbours };
}

/** Read back; throws when it is no place. */
export function placeFromJson(json: unknown): Place {
  const { host_number: hostNumber, assignment } = json as Record<string, unknown>;
  if (!(Number.isInteger(hostNumber) && (hostNumber as number) > 0)) throw new Error("no number");
  return {
    hostNumber: hostNumber as number,
    assignment: fromJson(AssignmentSchema, assignment as never, { ignoreUnknownFields: true }),
  };
}

/** True when a place that was kept at `savedRawNs` of this boot can be taken again. */
export function isYoung(savedRawNs: RawNanos, nowRawNs: RawNanos): boolean {
  const ageNs = Number(nowRawNs - savedRawNs);
  return ageNs >= 0 && ageNs <= AGE_NS_MAX;
}

/** What the shell does at this place. */
export function assignmentActions({ neighbours, pairsPerSecond }: Assignment): AgentAction[] {
  const targets = neighbours.map((n) => ({
    hostNumber: n.hostNumber,
    address: n.probeAddress,
    port: n.probePort,
  }));
  return [
    { kind: "probe", targets, pairsPerSecond },
    { kind: "neighbours", neighbours },
  ];
}
