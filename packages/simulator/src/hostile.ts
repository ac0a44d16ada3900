/**
 * A coordinator that has been taken over: it bends what the honest one says to some hosts.
 *
 * It stands between the shipped core of the coordinator and those of the agents, so that everything but
 * its lie is true. What clocks are judged by is what the reference was truly told.
 */
import { clone } from "@bufbuild/protobuf";
import type { DomainLine } from "@ttcs/discipline";
import { CoordinatorMessageSchema, type Correction } from "@ttcs/protocol";
import type { SimHost } from "./sim/sim-host.ts";
import type { Simulation } from "./sim/simulation.ts";
import { lineNsAt, lineOf } from "./sim/truth.ts";

/** Changes a correction; `sinceS` counts from the beginning of the attack (s). */
export type Lie = (correction: Correction, sinceS: number) => void;

/** Domain time ahead by so many ns. */
export const shifted = (correction: Correction, ns: number): void => {
  for (const s of correction.segments) s.domainUnixNs += BigInt(Math.round(ns));
};

/** Domain time that has run faster by `ppb` since the attack began. */
export function ramped(correction: Correction, sinceS: number, ppb: number): void {
  shifted(correction, sinceS * ppb);
  const [first] = correction.segments;
  for (const s of correction.segments) {
    s.domainUnixNs += BigInt(Math.round(Number(s.rawNs - first.rawNs) * ppb * 1e-9));
    s.freqPpb += ppb;
  }
}

/** See the module head. */
export class Hostile {
  readonly #world: Simulation;
  readonly #victims: ReadonlySet<number>;
  readonly #startNs: number;
  #truth: DomainLine | undefined;
  /** Displacement of each host, as it was last looked at (ns). */
  readonly #lastNs: number[];
  /** Largest displacement of a victim (ns), and of the others. */
  worstNs = 0;
  othersNs = 0;
  /** Largest movement of a clock against the truth within 1 s (ns). */
  speedNs = 0;
  /** When all victims had stopped to obey (s after the beginning); undefined: not yet. */
  stoppedS: number | undefined;
  readonly reasons = new Set<string>();
  readonly #history: number[][] = [];
  /** Times that a clock went back. */
  backwards = 0;
  readonly #shownNs: number[] = [];

  constructor(world: Simulation, victims: readonly number[], lie: Lie) {
    this.#world = world;
    this.#victims = new Set(victims);
    this.#startNs = world.nowNs;
    this.#lastNs = world.hosts.map(() => 0);
    world.tamper = (host, message) => {
      if (message.body.case !== "correction") return message;
      if (host.isReference) this.#truth = lineOf(message.body.value);
      if (!this.#victims.has(host.index)) return message;
      const bent = clone(CoordinatorMessageSchema, message);
      if (bent.body.case === "correction") lie(bent.body.value, this.sinceS);
      return bent;
    };
    world.observe(LOOK_NS, () => this.#look());
  }

  get sinceS(): number {
    return (this.#world.nowNs - this.#startNs) * 1e-9;
  }

  #look(): void {
    const { hosts, nowNs } = this.#world;
    if (!this.#truth) return;
    const truthNs = lineNsAt(this.#truth, hosts[0], nowNs);
    const now = hosts.map((h) => h.clock.systemNsAt(nowNs) - truthNs);
    hosts.forEach((host, i) => {
      const shownNs = host.clock.systemNsAt(nowNs);
      if (shownNs < (this.#shownNs[i] ?? -Infinity)) this.backwards++;
      this.#shownNs[i] = shownNs;
      this.#lookAt(host, now[i]);
    });
    const before = this.#history.length >= PER_S ? this.#history.shift() : undefined;
    this.#history.push(now);
    if (!before) return;
    for (const i of this.#victims) {
      this.speedNs = Math.max(this.speedNs, Math.abs(now[i] - before[i]));
    }
  }

  #lookAt(host: SimHost, errorNs: number): void {
    const errs = Math.abs(errorNs);
    if (host.isReference) return;
    if (!this.#victims.has(host.index)) {
      this.othersNs = Math.max(this.othersNs, errs);
      return;
    }
    this.worstNs = Math.max(this.worstNs, errs);
    const { refused, panic } = host.core.keeper.obedience;
    const reason = panic ?? refused;
    if (reason) this.reasons.add(reason.replace(/-?[0-9.e+]+ (ns|us|ms|ppm)/g, "N $1"));
    this.#lastNs[host.index] = reason ? 1 : 0;
    const stopped = [...this.#victims].every(
      (i) => this.#lastNs[i] > 0 || this.#world.hosts[i].isReference,
    );
    if (!stopped) this.stoppedS = undefined;
    else this.stoppedS ??= this.sinceS;
  }
}

const LOOK_NS = 50e6;
const PER_S = 20;
