/** What a world tells somebody who watches it, at the instant it happens; watching changes nothing. */
import type { DomainLine } from "@ttcs/discipline";
import type { SimHost } from "./sim-host.ts";

/** What an agent obeyed until now. */
export interface Obeyed {
  readonly term: bigint;
  readonly line: DomainLine | undefined;
  /** Guaranteed bound of that line at the instant of the change (ns). */
  readonly boundNs: number;
}

/** See the module head. */
export interface Witness {
  /** An agent was started, with an empty memory or with what it has kept. */
  started(host: SimHost): void;
  /** A machine has booted, just before its agent is started. */
  booted(host: SimHost): void;
  /** An agent has obeyed a correction; `before` is what it obeyed until then. */
  obeyed(host: SimHost, before: Obeyed): void;
  /** An agent sets its clock's frequency. */
  wrote(host: SimHost, freqPpb: number): void;
  /** An agent steps its clock. */
  stepped(host: SimHost, stepNs: number): void;
  /** Another hand has stepped a clock, or has begun or ended to slew it (then `stepNs` is 0). */
  disturbed(host: SimHost, stepNs: number): void;
}
