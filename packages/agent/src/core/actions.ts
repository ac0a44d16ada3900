/** What an agent's core asks of the shell around it, and how it is set up. */
import type { AgentMessage, EdgeKeys, ExchangeFlush, Neighbour } from "@ttcs/protocol";
import type { ProbeTarget } from "@ttcs/timestamper/types";
import type { Meter } from "./meter.ts";

/** What the shell is asked to do. */
export type AgentAction =
  | { readonly kind: "identify"; readonly hostNumber: number }
  | {
      readonly kind: "probe";
      readonly targets: readonly ProbeTarget[];
      readonly pairsPerSecond: number;
    }
  | { readonly kind: "keys"; readonly keys: readonly EdgeKeys[] }
  | { readonly kind: "neighbours"; readonly neighbours: readonly Neighbour[] }
  | { readonly kind: "flush"; readonly hostNumber: number; readonly message: ExchangeFlush }
  | { readonly kind: "report"; readonly message: AgentMessage }
  | { readonly kind: "adjust"; readonly freqPpb: number }
  | { readonly kind: "step"; readonly stepNs: number; readonly freqPpb: number }
  | {
      /** What shall be found by the next life of this agent. */
      readonly kind: "save";
      readonly text: string;
    }
  | {
      /** What the kernel shall tell its other users of its clock. */
      readonly kind: "errors";
      readonly maxErrorNs: number;
      readonly estErrorNs: number;
      readonly synchronised: boolean;
    }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly text: string };

/** How an agent is set up. */
export interface AgentOptions {
  readonly hostId: string;
  readonly domain: string;
  /** As in the Hello; absent: neighbours of any region are near. */
  readonly region?: string;
  readonly correctClock: boolean;
  readonly coordinatorAddress: string;
  /** Where a panic is kept, for people; absent: nowhere. */
  readonly stateFile?: string;
  /** Follows what the work costs; absent: nobody does. */
  readonly meter?: Meter;
}
