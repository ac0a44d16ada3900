/**
 * Who belongs to a domain, and who may join it.
 *
 * A host is known by its id and keeps its number while it is away for a minute. A second one of the same
 * id is refused while the first is alive on a stream of its own; one that is not may be what is left of
 * an agent that was restarted, and the newcomer takes its place. An id belongs to one key, which the
 * shell sees to: a second one is a copy of the first, and both are told.
 */
import type { Hello } from "@ttcs/protocol";
import { isSameBytes } from "@ttcs/units";
import { connectedHosts, type Host, newHost } from "./host.ts";
import type { DomainMemory } from "./memory.ts";

/** A host that reported within this is there; reports come twice a second (ms). */
const ALIVE_MS = 2_000;
/** A copy that tries to join does so every few seconds; it is told of for so long after the last (ms). */
const COPY_TOLD_MS = 60_000;
/** A host that stays away this long is dealt no neighbours any more (ms). */
export const FORGET_AFTER_MS = 60_000;

/** See the module head. */
export class Roster {
  readonly hosts = new Map<number, Host>();
  /** Hosts with a live stream, by it: every report asks for its sender, and how many there are. */
  readonly #byConnection = new Map<number, Host>();
  readonly #byId = new Map<string, Host>();
  #nextNumber = 1;
  /** Counts up whenever there is something new to remember of the hosts. */
  changes = 0;

  /** The number that the next new host gets. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** Hosts as they are remembered; all of them are away yet. */
  restore({ hosts, nextNumber }: DomainMemory, nowMs: number): void {
    for (const { number, hello } of hosts) {
      const host = newHost(number, hello);
      host.disconnectedAtMs = nowMs;
      this.hosts.set(number, host);
      this.#byId.set(host.id, host);
    }
    this.#nextNumber = nextNumber;
  }

  /** Hosts with a live stream. */
  get connected(): Host[] {
    return connectedHosts(this.hosts.values());
  }

  /** The host that is reached by a stream. */
  byConnection(connection: number): Host | undefined {
    return this.#byConnection.get(connection);
  }

  /** How many hosts have a live stream. */
  get connectedCount(): number {
    return this.#byConnection.size;
  }

  /** The host is reached by this stream from now on, and by no other. */
  connect(host: Host, connection: number): void {
    if (host.connection !== undefined) this.#byConnection.delete(host.connection);
    host.connection = connection;
    host.disconnectedAtMs = Number.NaN;
    this.#byConnection.set(connection, host);
    this.changes++;
  }

  /** The stream of a host has ended. */
  disconnect(host: Host, nowMs: number): void {
    if (host.connection !== undefined) this.#byConnection.delete(host.connection);
    host.connection = undefined;
    host.disconnectedAtMs = nowMs;
    host.lockedSinceMs = Number.NaN;
    this.changes++;
  }

  /** The host of an id. */
  byId(id: string): Host | undefined {
    return this.#byId.get(id);
  }

  /** Why a host cannot join on this stream; undefined: it can. */
  whyNot(connection: number, hello: Hello, nowMs: number): string | undefined {
    const alone = this.byConnection(connection);
    if (alone) return `this stream has joined as "${alone.id}" already`;
    if (hello.hostId === "") return "host_id is empty; set it in the agent's configuration";
    const living = this.#living(hello, nowMs);
    if (!living) return undefined;
    living.copy = { from: hello.managementAddress, atMs: nowMs };
    const from = living.hello.managementAddress;
    return (
      `"${living.id}" has joined from ${from} already, with the same key; if this host is a copy of ` +
      "that one, remove its identity.json and give it a host_id of its own"
    );
  }

  /** The host of this name, if it is there. */
  #living({ hostId }: Hello, nowMs: number): Host | undefined {
    const namesake = this.byId(hostId);
    return namesake && isAlive(namesake, nowMs) ? namesake : undefined;
  }

  /** Takes in a host that is new. */
  admit(hello: Hello): Host {
    const number = this.#nextNumber++;
    const host = newHost(number, hello);
    this.hosts.set(number, host);
    this.#byId.set(host.id, host);
    return host;
  }

  /** Forgets those who have stayed away, but for the reference. */
  forgetAbsent(reference: Host | undefined, nowMs: number): Host[] {
    if (this.connectedCount === this.hosts.size) return [];
    const gone = [...this.hosts.values()].filter(
      (h) => nowMs - h.disconnectedAtMs > FORGET_AFTER_MS && h !== reference,
    );
    for (const host of gone) this.remove(host);
    return gone;
  }

  /** Takes a host out, whose stream has ended. */
  remove(host: Host): void {
    this.hosts.delete(host.number);
    this.#byId.delete(host.id);
    this.changes++;
  }

  /** The host that speaks with a certificate, by its SHA-256. */
  byCertificate(sha256: Uint8Array): Host | undefined {
    const isOf = ({ hello }: Host) =>
      sha256.length > 0 && isSameBytes(hello.certificateSha256, sha256);
    return [...this.hosts.values()].find(isOf);
  }
}

/** A host that has reported just now on a stream of its own is no victim of a restart. */
const isAlive = (host: Host, nowMs: number): boolean =>
  host.connection !== undefined && nowMs - host.reportedAtMs < ALIVE_MS;

/** What an operator should know of somebody else with this host's key; empty: nothing lately. */
export function copyAlarms({ copy }: Host, nowMs: number): string[] {
  if (!copy || nowMs - copy.atMs > COPY_TOLD_MS) return [];
  return [
    `the key of this host is also used from ${copy.from}: one of the two is a copy; remove its identity.json ` +
      "and give it a host_id of its own",
  ];
}
