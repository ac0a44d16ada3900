/**
 * Watches all hosts of a laboratory from outside while it is being broken.
 *
 * Every host is asked by itself, "now" ten times a second and more, so that one that does not answer
 * delays nobody else's samples. Each answer names its own instant; the truth is computed for that
 * instant afterwards, when it is known who led then.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentStatus } from "@ttcs/agent";
import { readKernelClocks } from "@ttcs/timestamper";
import type { Observer } from "../observer.ts";
import type { LabHost } from "../plan.ts";
import { HostTruth } from "../truth.ts";
import { TruthLog } from "../truth-log.ts";
import { LeadHistory } from "./lead-history.ts";
import type { HostRecord, StatusSample, Write } from "./types.ts";

/** From one question to the next (ms): more than ten a second also when an answer takes its time. */
const ASK_EVERY_MS = 80;
/** Every so many questions the status is asked for as well. */
const STATUS_EVERY = 3;
/** Corrections come twice a second; a former reference that hears none leads no more (s). */
const FRESH_S = 2;

/** An answer to "now", yet to be held against the truth. */
interface Answer {
  readonly atS: number;
  readonly kernelRawNs: bigint;
  readonly state: string;
  readonly boundNs: number | null;
}

interface Watched {
  readonly observer: Observer;
  readonly truth: HostTruth;
  readonly log: TruthLog;
  readonly nows: Answer[];
  readonly statuses: StatusSample[];
  readonly writes: Write[];
}

/** See the module head. */
export class Watch {
  readonly #hosts: readonly Watched[];
  readonly #startKernelRawNs: bigint;
  readonly #pidOf: (id: string) => number | undefined;
  readonly #leads = new LeadHistory();
  #running = true;
  #loops: Promise<void>[] = [];

  /** @param pidOf process id of a host's present life */
  constructor(observers: readonly Observer[], pidOf: (id: string) => number | undefined) {
    this.#hosts = observers.map((observer) => ({
      observer,
      truth: new HostTruth(observer.host.clock),
      log: new TruthLog(observer.host.clock.stateDir, observer.host.clock.index),
      nows: [],
      statuses: [],
      writes: [],
    }));
    this.#startKernelRawNs = observers[0].host.clock.startKernelRawNs;
    this.#pidOf = pidOf;
  }

  /** Seconds since the laboratory began, on the kernel's raw clock. */
  get nowS(): number {
    return this.#since(readKernelClocks().kernelRawNs);
  }

  /** Begins to ask. */
  start(): void {
    this.#loops = this.#hosts.map((watched) => this.#follow(watched));
  }

  /** Ends asking; call once. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    for (const { truth, log } of this.#hosts) {
      truth.close();
      log.close();
    }
  }

  /** The newest state of each host; undefined where none is younger than a second. */
  get states(): (string | undefined)[] {
    const nowS = this.nowS;
    return this.#hosts.map(({ nows }) => {
      const last = nows.at(-1);
      return last && nowS - last.atS < 1 ? last.state : undefined;
    });
  }

  /** Id of the host that leads, as far as it was seen. */
  get reference(): string {
    return this.#leads.reference ?? this.#hosts[0].observer.host.id;
  }

  /** Newest status of a host. */
  statusOf(id: string): StatusSample | undefined {
    return this.#hosts.find(({ observer }) => observer.host.id === id)?.statuses.at(-1);
  }

  /** All that was seen from `fromS` to `toS`. */
  records(fromS: number, toS: number): HostRecord[] {
    const within = <T extends { readonly atS: number }>(list: readonly T[]) =>
      list.filter(({ atS }) => atS >= fromS && atS <= toS);
    return this.#hosts.map((watched) => {
      this.#readWrites(watched);
      const { observer, nows, statuses, writes } = watched;
      return {
        id: observer.host.id,
        steered: observer.host.role !== "reference",
        nows: within(nows).map(({ atS, kernelRawNs, state, boundNs }) => {
          return { atS, state, boundNs, errorNs: this.errorAt(observer.host, kernelRawNs) };
        }),
        statuses: within(statuses),
        writes: within(writes),
        apartNs: (atS) => this.#apartNs(observer, atS),
      };
    });
  }

  /** What an answer to "now" of a host should have shown: its true system clock at that instant. */
  systemAt(host: LabHost, kernelRawNs: bigint): bigint {
    return this.#hosts[host.clock.index].observer.systemAt(kernelRawNs);
  }

  /** System clock of a host minus domain time in truth (ns); null before there is domain time. */
  errorAt(host: LabHost, kernelRawNs: bigint): number | null {
    const systemNs = this.systemAt(host, kernelRawNs);
    return this.#leads.errorNs(systemNs, kernelRawNs, this.#since(kernelRawNs));
  }

  async #follow(watched: Watched): Promise<void> {
    for (let count = 0; this.#running; count++) {
      const beganMs = performance.now();
      await this.#ask(watched, count % STATUS_EVERY === 0);
      await sleep(Math.max(1, ASK_EVERY_MS - (performance.now() - beganMs)));
    }
  }

  async #ask({ observer, nows, statuses }: Watched, alsoStatus: boolean): Promise<void> {
    const now = await observer.ask("now");
    if (!now) return;
    const kernelRawNs = BigInt(now.kernel_monotonic_raw_ns);
    const { state, bound_ns: boundNs } = now;
    nows.push({ atS: this.#since(kernelRawNs), kernelRawNs, state, boundNs });
    const status = alsoStatus ? await observer.ask("status") : undefined;
    if (!status) return;
    const sample = statusSample(status, this.nowS, this.#pidOf(observer.host.id) ?? 0);
    const { isReference, correctionAgeS, term, round, atS } = sample;
    if (isReference && (correctionAgeS ?? FRESH_S) < FRESH_S) {
      const unsureS = statuses.at(-1)?.atS ?? 0;
      const { line } = status;
      this.#leads.note({ by: observer, line, term, round, seenS: atS, unsureS });
    }
    statuses.push(sample);
  }

  #readWrites({ log, truth, writes }: Watched): void {
    truth.refresh();
    for (const { rawNs, kind, value } of log.readOn()) {
      writes.push({ atS: this.#since(truth.kernelAt(rawNs)), kind, value });
    }
  }

  #apartNs(observer: Observer, atS: number): number {
    const kernelRawNs = this.#startKernelRawNs + BigInt(Math.round(atS * 1e9));
    return Number(observer.systemAt(kernelRawNs) - observer.utcAt(kernelRawNs));
  }

  #since(kernelRawNs: bigint): number {
    return Number(kernelRawNs - this.#startKernelRawNs) * 1e-9;
  }
}

/** Agents of other versions do not tell alarms. */
type AnyStatus = AgentStatus & { readonly alarms?: readonly string[] };

function statusSample(status: AnyStatus, atS: number, life: number): StatusSample {
  return {
    atS,
    life,
    state: status.state,
    reason: status.reason,
    alarms: status.alarms ?? [],
    term: Number(status.term),
    round: Number(status.round),
    isReference: status.role === "reference",
    reference: status.reference,
    correctionAgeS: status.correction_age_s,
  };
}
