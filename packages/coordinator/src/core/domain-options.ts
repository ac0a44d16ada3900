/** How one domain of the coordinator is set up, and the times that it lives by. */
import type { DealOptions } from "./dealer.ts";
import type { DomainMemory } from "./memory.ts";
import type { DeriveKey } from "./probe-keys.ts";

/** The times that come with an event. */
export interface ServerTime {
  /** Monotonic (ms). */
  readonly monotonicMs: number;
  /** The server's own civil time (Unix ns); rounds count by it until domain time exists. */
  readonly unixNs: bigint;
}

/** How a domain is set up. */
export interface DomainOptions extends DealOptions {
  readonly domain: string;
  /** Fencing number of this leadership. */
  readonly term: bigint;
  /** What the coordinator before this one has left; absent: a domain that begins. */
  readonly memory?: DomainMemory;
  /** "host:port" of every server of this domain, the leader first; asked for with every welcome. */
  readonly coordinatorAddresses?: () => readonly string[];
  /** Derives keys for probes from a secret of this leadership; absent: none are dealt. */
  readonly deriveProbeKey?: DeriveKey;
  /** Runs a round; for whoever wants to know what it costs. */
  readonly metered?: (round: () => void) => void;
}
