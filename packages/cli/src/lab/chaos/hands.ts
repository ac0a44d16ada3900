/** Does the acts of a deed to a laboratory, and undoes whatever is left of them. */

import type { FailpointName } from "@ttcs/units";
import { FAILPOINTS_VARIABLE } from "../../failpoints.ts";
import { type Cast, namesOf, type Stage } from "./stage.ts";
import { countUnreadable } from "./state-files.ts";
import type { Act } from "./types.ts";

const SIGNALS = {
  kill: "SIGKILL",
  terminate: "SIGTERM",
  pause: "SIGSTOP",
  resume: "SIGCONT",
} as const;

/** See the module head. */
export class Hands {
  readonly #stage: Stage;
  readonly #cast: Cast;
  /** Those that were killed or paused, to be brought back. */
  readonly #down = new Set<string>();
  readonly #paused = new Set<string>();
  /** Those that live with a failpoint. */
  readonly #doomed = new Set<string>();
  /** What was last done to the database. */
  #database: "stop" | "start" | "pause" | "resume" | undefined;

  /** State files that could not be read when their agents were started. */
  unreadableStates = 0;
  /** Lives that had ended at their failpoint before anything else ended them. */
  failpointsReached = 0;

  constructor(stage: Stage, cast: Cast) {
    this.#stage = stage;
    this.#cast = cast;
  }

  async do(act: Act): Promise<void> {
    switch (act.do) {
      case "kill":
      case "terminate":
      case "pause":
      case "resume":
        for (const name of this.#names(act)) this.#signal(name, act.do);
        break;
      case "start":
        for (const name of this.#names(act)) await this.#start(name, act.failpoint);
        break;
      case "database":
        this.#breakDatabase(act.what);
        break;
      case "cut":
        this.#cut(act.what);
        break;
      case "heal":
        this.#stage.network.heal?.();
        break;
      case "fill":
        this.#stage.disks.fill();
        break;
      case "free":
        this.#stage.disks.free();
        break;
    }
  }

  /** Brings everything back that a deed has left broken. */
  async restore(): Promise<void> {
    const { network, disks, database } = this.#stage;
    network.heal?.();
    disks.free();
    if (this.#database === "stop") database?.start();
    if (this.#database === "pause") database?.resume();
    for (const name of this.#paused) this.#stage.fleet.signal(name, "SIGCONT");
    for (const name of this.#down) await this.#start(name);
  }

  #breakDatabase(what: "stop" | "start" | "pause" | "resume"): void {
    this.#database = what;
    this.#stage.database?.[what]();
  }

  #names(act: Act & { readonly target: Parameters<typeof namesOf>[0] }): string[] {
    return namesOf(act.target, this.#cast, this.#stage.fleet.serverIds);
  }

  #signal(name: string, deed: keyof typeof SIGNALS): void {
    const { fleet } = this.#stage;
    if (deed === "kill" || deed === "terminate") {
      fleet.hold(name);
      this.#down.add(name);
    }
    if (this.#doomed.delete(name) && fleet.wasKilled(name)) this.failpointsReached++;
    if (deed === "pause") this.#paused.add(name);
    if (deed === "resume") this.#paused.delete(name);
    fleet.signal(name, SIGNALS[deed]);
  }

  async #start(name: string, failpoint?: FailpointName): Promise<void> {
    const { fleet, hosts } = this.#stage;
    await fleet.ended(name);
    this.unreadableStates += countUnreadable(hosts.filter(({ id }) => id === name));
    if (failpoint === undefined) {
      await fleet.release(name);
      this.#down.delete(name);
      return;
    }
    this.#doomed.add(name);
    await fleet.release(name, { [FAILPOINTS_VARIABLE]: `${failpoint}=kill` }, true);
  }

  /** Halves: every other agent on the far side, so that the reference's side is the smaller one. */
  #cut(what: "halves" | "from-servers"): void {
    const { network, hosts } = this.#stage;
    const indexOf = (id: string) => hosts.findIndex((host) => host.id === id);
    const { agents, reference } = this.#cast;
    if (what === "from-servers") {
      network.cut?.([indexOf(agents[2])], "servers");
      return;
    }
    const half = Math.floor(hosts.length / 2);
    const near = [reference, ...agents.slice(0, half - 1)];
    const far = agents.slice(half - 1);
    network.cut?.(near.map(indexOf), far.map(indexOf));
  }
}
