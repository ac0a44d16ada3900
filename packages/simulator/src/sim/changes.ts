/** What happens to a world at a given time: hosts and links by number, all of it plain data. */

/** Hosts by index, those of a region, or all. */
export type HostSet = readonly number[] | { readonly region: number } | "all";

interface At {
  /** Seconds since the start of the world. */
  readonly atS: number;
}

interface For extends At {
  /** How long it lasts (s). */
  readonly forS: number;
}

/** A change of the world. Probes that are under way already are not touched (50 ms at most). */
export type Change =
  /** Nothing passes from some hosts to others; both ways or one. */
  | (For & { readonly kind: "cut"; from: HostSet; to: HostSet; readonly bothWays: boolean })
  /** No message passes between some hosts and the coordinator; both ends notice after 6 s. */
  | (For & { readonly kind: "partition"; hosts: HostSet })
  /** The coordinator dies; another one, with an empty memory or with its own, and a later term, comes up. */
  | (For & { readonly kind: "coordinator"; readonly remembers?: true })
  /** One of several servers is stopped, as SIGSTOP does it, and goes on; or is killed and started again. */
  | (For & { readonly kind: "server stop" | "server kill"; readonly server: number })
  /** The servers' database: gone, slow (a call takes `latencyS`), or out of one server's reach. */
  | (For & { readonly kind: "database gone" })
  | (For & { readonly kind: "database slow"; readonly latencyS: number })
  | (For & { readonly kind: "database unreachable"; readonly server: number })
  /** Some hosts' links to some others become longer by `addNs`, one way. */
  | (For & { readonly kind: "delay"; from: HostSet; to: HostSet; readonly addNs: number })
  /** A share of all directed links gets another route, longer by `addNs`. */
  | (At & { readonly kind: "reroute"; readonly share: number; readonly addNs: number })
  /** Another hand moves a system clock. */
  | (At & { readonly kind: "step"; readonly host: number; readonly stepNs: number })
  /** Another hand slews a system clock; the kernel's setting does not show it. */
  | (For & { readonly kind: "slew"; readonly host: number; readonly ppb: number })
  /** A crystal's frequency jumps. */
  | (At & { readonly kind: "jump"; readonly host: number; readonly ppb: number })
  /** Raw and system clock of a machine jump together, as when it is moved or restored. */
  | (At & { readonly kind: "rawJump"; readonly host: number; readonly jumpNs: number })
  /** An agent is not run: nothing is sent, nothing is handed over; then it goes on. */
  | (For & { readonly kind: "pause"; readonly host: number })
  /** An agent dies and is started again; its clocks go on. */
  | (For & { readonly kind: "kill"; readonly host: number })
  /** A machine is off, then boots: raw clock anew, system clock off by `errorNs`. */
  | (For & { readonly kind: "reboot"; readonly host: number; readonly errorNs: number });

/** One end of a change. */
export interface Turn {
  readonly atS: number;
  readonly change: Change;
  readonly begins: boolean;
}

/** Beginnings and ends of changes, in order of time. */
export function turnsOf(changes: readonly Change[]): Turn[] {
  const turns = changes.flatMap((change): Turn[] => [
    { atS: change.atS, change, begins: true },
    ...("forS" in change ? [{ atS: change.atS + change.forS, change, begins: false }] : []),
  ]);
  return turns.sort((a, b) => a.atS - b.atS);
}
