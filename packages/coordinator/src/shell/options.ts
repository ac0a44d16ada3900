/** What a coordinator is given, and what it counts. */
import type { Server } from "@grpc/grpc-js";
import type { Store } from "@ttcs/store";
import type { Authority } from "./identity/authority.ts";

/** What stands before the coordinator's port: takes connections and turns junk away. */
export interface CoordinatorDoor {
  readonly counters: object;
  /** Rejects when the address or port cannot be bound. */
  listen(address: string, port: number, server: Server): Promise<number>;
  /** The connection of `peer` ("address:port") has said something sensible. */
  prove(peer: string): void;
  /** False, and the end of the connection, when `peer` says more than anybody needs. */
  maySpeak(peer: string): boolean;
  /** Ends the connection of `peer`. */
  expel(peer: string): void;
  /** What it shows to those who come (PEM); before that nobody is let in. */
  present(identity: {
    readonly privateKey: string;
    readonly certificateChain: string;
    readonly authority: string;
  }): void;
  /** SHA-256 of the certificate that `peer` has shown, in hexadecimal digits; undefined: none. */
  certificateOf(peer: string): string | undefined;
  close(): void;
}

/** What was dropped, by kind, since the start. */
export interface CoordinatorCounters {
  /** Bytes that are no message. */
  undecodable_messages: number;
  /** Messages for a domain that is not run here, or that cannot be true. */
  refused_messages: number;
  /** Messages on a stream that has not joined. */
  unjoined_messages: number;
  /** Agents sent to another server. */
  redirected_agents: number;
  /** Hosts that have been given a certificate, and those that have not. */
  enrolments: number;
  refused_enrolments: number;
  /** Streams ended because the certificate has ended. */
  revoked_streams: number;
  /** Streams ended because the agent does not read, or says too much. */
  ended_streams: number;
  /** Messages that could not be dealt with. */
  faults: number;
}

/** How a coordinator is set up. */
export interface CoordinatorOptions {
  readonly address: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  readonly pairsPerSecond: number;
  readonly meshSeed: number;
  /** Names of the domains that this server runs. */
  readonly domains: readonly string[];
  /** Where leases and memories are kept; several servers share one. */
  readonly store: Store;
  /** Vouches for this server and for hosts. */
  readonly authority: Authority;
  /** How many hosts of a domain may hold a certificate; undefined: any number. */
  readonly seats: number | undefined;
  /** The first term of a domain that the store does not know. */
  readonly firstTerm: bigint;
  /** This server among those that share the store; the same one each time it starts. */
  readonly serverId: string;
  /** Where agents reach this server, given the port that it listens on. */
  readonly advertise: (port: number) => string;
}
