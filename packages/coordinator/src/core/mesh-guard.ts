/**
 * What the coordinator does about a mesh that does not agree: says so, holds, and repairs.
 *
 * After each round the hosts that were expelled or have returned, and the alarms about round trips that
 * begin or end, become lines of the log; edges that are of no use for long are barred. While there is no
 * consensus nobody is corrected. One such round may be an accident and is passed over like a round that
 * was lost; from the second on hosts are told to hold over, and why.
 */

import type { Dealer } from "./dealer.ts";
import { EdgeRepair } from "./edge-repair.ts";
import type { Host } from "./host.ts";
import type { RoundWorkspace } from "./round-workspace.ts";
import type { RoundResult } from "./solve.ts";

/** So many rounds without a consensus in a row are told. */
const HOLD_FROM_ROUND = 2;
/** A host that has reported within this could have used its edges (ms). */
const ALIVE_MS = 2_000;

type Say = (level: "info" | "warn", text: string) => void;

/** One for one domain. */
export class MeshGuard {
  readonly #hosts: ReadonlyMap<number, Host>;
  readonly #workspace: RoundWorkspace;
  readonly #say: Say;
  readonly #repair = new EdgeRepair();
  #holdRounds = 0;

  constructor(hosts: ReadonlyMap<number, Host>, workspace: RoundWorkspace, say: Say) {
    this.#hosts = hosts;
    this.#workspace = workspace;
    this.#say = say;
  }

  /** True for hosts whose word does not count now. */
  readonly isDoubted = (hostNumber: number): boolean =>
    this.#workspace.hostVerdicts.cases.isExpelled(hostNumber);

  /** Pairs that must not be dealt now. */
  barred(nowMs: number): ReadonlySet<string> {
    return this.#repair.barred(nowMs);
  }

  /** Says what a round has brought. */
  note(result: RoundResult): void {
    for (const { host, expelled, reason } of this.#workspace.hostVerdicts.takeChanges()) {
      if (expelled) this.#say("warn", `${this.#nameOf(host)} is ${reason}`);
      else this.#say("info", `${this.#nameOf(host)} agrees with the mesh again and takes part`);
    }
    for (const text of this.#workspace.asymmetry.takeChanges()) this.#say("warn", text);
    const held = this.#holdRounds >= HOLD_FROM_ROUND;
    this.#holdRounds = result.noConsensus ? this.#holdRounds + 1 : 0;
    if (this.#holdRounds === HOLD_FROM_ROUND)
      this.#say("warn", `${result.noConsensus}: all hold over`);
    else if (held && this.#holdRounds === 0) this.#say("info", "there is a consensus again");
  }

  /** What each host is told in a round without a consensus; undefined: nothing yet. */
  hold(
    host: Host,
    { noConsensus, out, alarms }: RoundResult,
  ): { readonly reason: string; readonly alarms: readonly string[] } | undefined {
    if (this.#holdRounds < HOLD_FROM_ROUND) return undefined;
    const own = out.get(host.number);
    const alarm = alarms.get(host.number);
    return { reason: noConsensus, alarms: [...(own ? [own] : []), ...(alarm ? [alarm] : [])] };
  }

  /** Looks for edges that are of no use. True: deal anew. */
  repair(result: RoundResult, dealer: Dealer, nowMs: number): boolean {
    if (result.noConsensus || !dealer.canRepair) return false;
    const takesPart = (number: number) => {
      const host = this.#hosts.get(number);
      const alive = host?.connection !== undefined && nowMs - host.reportedAtMs < ALIVE_MS;
      return alive && !result.out.has(number);
    };
    const barred = this.#repair.look(result, dealer.dealt, takesPart, nowMs);
    if (barred.length === 0) return false;
    const names = barred.map((key) =>
      key
        .split("-")
        .map((n) => this.#nameOf(Number(n)))
        .join("-"),
    );
    this.#say("info", `edges of no use are replaced: ${names.slice(0, 5).join(", ")}`);
    return true;
  }

  #nameOf(hostNumber: number): string {
    return this.#hosts.get(hostNumber)?.id ?? `host ${hostNumber}`;
  }
}
