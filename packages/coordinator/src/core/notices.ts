/**
 * What hosts are told that get no correction: to wait for others, or to hold over and why.
 *
 * Nobody who has a stream is left without a word for long: an agent would take the stream for dead.
 */
import type { Host } from "./host.ts";
import type { Outbox } from "./outbox.ts";
import type { Told } from "./region.ts";
import type { Regions } from "./regions.ts";
import { copyAlarms, type Roster } from "./roster.ts";
import { Silence } from "./silence.ts";

/** Fewer hosts than this cannot outvote a wrong one: nothing is steered. */
export const MINIMUM_HOSTS = 3;
/** Hosts that wait are told so this often (ms). */
const WAITING_EVERY_MS = 1_000;

/** See the module head. */
export class Notices {
  readonly #roster: Roster;
  readonly #regions: Regions;
  readonly #outbox: Outbox;
  readonly #silence = new Silence();
  #waitingToldMs = -Infinity;

  constructor(roster: Roster, regions: Regions, outbox: Outbox) {
    this.#roster = roster;
    this.#regions = regions;
    this.#outbox = outbox;
  }

  /** The host was told something. */
  told(host: Host, nowMs: number): void {
    this.#silence.broke(host, nowMs);
  }

  forget(host: Host): void {
    this.#silence.forget(host);
  }

  /** Tells hosts to hold over, and why; whom `say` has nothing for is told nothing. */
  hold(hosts: readonly Host[], say: (host: Host) => Told | undefined, nowMs: number): void {
    const ofAll = this.#regions.alarms;
    for (const host of hosts) {
      const told = say(host);
      if (!told) continue;
      const { reason, alarms = [] } = told;
      this.#outbox.send(host, {
        case: "hold",
        value: { reason, alarms: [...ofAll, ...alarms, ...copyAlarms(host, nowMs)] },
      });
      this.told(host, nowMs);
    }
  }

  /** Says now how many hosts there are and how many are needed, if there are too few. */
  waiting(nowMs: number): void {
    this.#waitingToldMs = nowMs;
    if (this.#roster.connectedCount >= MINIMUM_HOSTS) return;
    const { connected } = this.#roster;
    const value = { haveHosts: connected.length, needHosts: MINIMUM_HOSTS };
    for (const host of connected) this.#outbox.send(host, { case: "waiting", value });
  }

  /** A beat: some were told nothing for too long. */
  tick(nowMs: number): void {
    if (nowMs - this.#waitingToldMs >= WAITING_EVERY_MS) this.waiting(nowMs);
    if (this.#roster.connectedCount < MINIMUM_HOSTS) return;
    if (!this.#silence.mayBeOver(nowMs)) return;
    const reason = "the coordinator has no correction for this host yet";
    for (const host of this.#silence.over(this.#roster.connected, nowMs)) {
      this.#outbox.send(host, { case: "hold", value: { reason } });
    }
  }
}
