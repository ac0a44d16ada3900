/**
 * What a domain must not forget when its coordinator ends: who has which number, who led, whose
 * majority speaks for the domain, and how far rounds have counted.
 *
 * With it the next coordinator deals the same numbers and the same mesh, so agents keep the windows
 * that they hold and the next round is solved as if nothing had happened. Domain time itself is not in
 * here: agents hold it, each its own line. What comes back from a store is checked like anything else
 * that comes from outside; a memory that makes no sense is none.
 */
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Hello, HelloSchema } from "@ttcs/protocol";
import type { LeadershipMemory } from "./leadership.ts";
import type { Edge } from "./mesh.ts";

/** Numbers of hosts have 32 bits, and 0 is nobody. */
const NUMBER_MAX = 2 ** 32 - 1;
/** Rounds are half seconds since 1970: beyond this the year is 100,000 and the document is wrong. */
const ROUND_MAX = 2n ** 43n;
/** The form of the document; another one is not read. */
const VERSION = 1;

/** A host as it is remembered. */
export interface RememberedHost {
  readonly number: number;
  /** It had a live stream when this was written: it will be back soon. */
  readonly connected: boolean;
  readonly hello: Hello;
}

/** A region that follows the one that leads. */
export interface RegionMemory {
  readonly name: string;
  readonly leadership: LeadershipMemory;
  /** Ids of its anchors; empty: not chosen yet. */
  readonly anchors: readonly string[];
}

/** See the module head. */
export interface DomainMemory {
  readonly hosts: readonly RememberedHost[];
  /** The number that the next new host gets. */
  readonly nextNumber: number;
  /** Of the region that leads: who led, and the ids of the anchors; empty: not chosen yet. */
  readonly leadership: LeadershipMemory;
  readonly anchors: readonly string[];
  readonly regions: readonly RegionMemory[];
  /**
   * Edges between regions. What their ends know of a long path's delays is minutes old, so where the
   * regions' clocks lie is known again with the first round, if the same edges are dealt.
   */
  readonly gateways: readonly Edge[];
  /** The highest round so far. */
  readonly round: bigint;
}

/** The memory as a document (JSON). */
export function memoryToText({ hosts, round, ...rest }: DomainMemory): string {
  return JSON.stringify({
    version: VERSION,
    ...rest,
    round: `${round}`,
    hosts: hosts.map(({ hello, ...host }) => ({ ...host, hello: toJson(HelloSchema, hello) })),
  });
}

/** The memory of a document; undefined when it makes no sense. */
export function memoryFromText(text: string): DomainMemory | undefined {
  try {
    return read(JSON.parse(text));
  } catch {
    return undefined;
  }
}

// Wrong types end in a throw here, or in one of the comparisons.
function read(document: Record<string, unknown>): DomainMemory | undefined {
  const { version, hosts, nextNumber, leadership, anchors, round } = document;
  // Documents of an older version know one region.
  const { regions = [], gateways = [] } = document;
  if (version !== VERSION || !Array.isArray(hosts) || !isNumber(nextNumber)) return undefined;
  if (!isLeadership(leadership) || !isTextList(anchors)) return undefined;
  if (!isRegionList(regions) || !isEdgeList(gateways)) return undefined;
  const highest = BigInt(round as string);
  if (highest < 0n || highest > ROUND_MAX) return undefined;
  const known = hosts.map(({ number, connected, hello }) => ({
    number: number as number,
    connected: connected === true,
    hello: fromJson(HelloSchema, hello as JsonValue),
  }));
  if (!known.every((h) => isNumber(h.number) && h.number < nextNumber && h.hello.hostId !== "")) {
    return undefined;
  }
  const isUnique = (of: (h: RememberedHost) => unknown) =>
    new Set(known.map(of)).size === known.length;
  if (!isUnique((h) => h.number) || !isUnique((h) => h.hello.hostId)) return undefined;
  return { hosts: known, nextNumber, leadership, anchors, regions, gateways, round: highest };
}

const isNumber = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= NUMBER_MAX;

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === "string");

const isRegionList = (value: unknown): value is RegionMemory[] =>
  Array.isArray(value) &&
  value.every(
    ({ name, leadership, anchors }) =>
      typeof name === "string" && isLeadership(leadership) && isTextList(anchors),
  ) &&
  new Set(value.map(({ name }) => name)).size === value.length;

const isEdgeList = (value: unknown): value is Edge[] =>
  Array.isArray(value) &&
  value.every(
    ({ a, b, owner }) => isNumber(a) && isNumber(b) && a !== b && (owner === a || owner === b),
  );

function isLeadership(value: unknown): value is LeadershipMemory {
  const { referenceId, losses } = value as Record<string, unknown>;
  const isLoss = (l: { id: unknown; proofMs: unknown }) =>
    typeof l.id === "string" && typeof l.proofMs === "number" && l.proofMs >= 0;
  return typeof referenceId === "string" && Array.isArray(losses) && losses.every(isLoss);
}
