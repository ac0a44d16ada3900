/**
 * A process full of protocol-only agents: one schedule of rounds for all, and the tally of what came.
 *
 * Rounds close on multiples of half a second of domain time, as the agents' own lines tell it; before
 * the first correction the server's clock stands in. Between the rounds the process only listens.
 */
import { EnrolmentError, Enrolment as HostEnrolment, type TlsIdentity } from "@ttcs/agent";
import { ROUND_NS, unixNanos } from "@ttcs/units";
import type { Enrolment } from "../identity/enrolment.ts";
import { FleetClocks, type FleetStart } from "./clocks.ts";
import { type Arrival, hostIdOf, type Lie, ProtocolAgent } from "./protocol-agent.ts";

/** What a load process is told at its start, as JSON. */
export interface LoadPlan {
  readonly address: string;
  readonly firstHost: number;
  readonly hostCount: number;
  readonly seed: number;
  /** Bigints as text. */
  readonly monotonicNs: string;
  readonly unixNs: string;
  /** What all hosts enrol with. */
  readonly enrolment: Enrolment;
  /** Streams are opened over this long (ms). */
  readonly openOverMs: number;
  /** These hosts mean harm: many are turned away at enrolment, and those who are not lie. */
  readonly lie?: Lie;
}

/** What a process answers to `{ ask: "tally" }`, and forgets then. */
export interface LoadTally {
  /** A row for each correction: host, round's number, arrival after the close (ms). */
  readonly hosts: Int32Array;
  readonly rounds: Float64Array;
  readonly afterCloseMs: Float64Array;
  /** Rounds that were reported, and how long after the close the last of this process' reports had left (ms). */
  readonly reportedRounds: Float64Array;
  readonly leftMs: Float64Array;
  /** Absolute errors of trusted corrections (ns), the reference's left out. */
  readonly errorsNs: Float64Array;
  /** Trusted corrections whose error exceeded their bound. */
  readonly outsideBound: number;
  readonly untrusted: number;
  readonly lostStreams: number;
  readonly refusals: readonly string[];
}

/** What a process tells once a second. */
export interface LoadNews {
  /** Agents that have a certificate, and liars that were refused one. */
  readonly enrolledCount: number;
  readonly refusedCount: number;
  /** Agents whose newest correction is younger than a second and a half, and trusted. */
  readonly servedCount: number;
}

/** What a process answers to `{ ask: "back" }`: how the agents came back to a new term. */
export interface LoadBack {
  /** True time of the first trusted correction of the newest term (ns), by agent; NaN: none yet. */
  readonly firstNs: Float64Array;
}

/** Hosts of one process that enrol at once. */
const ENROL_AT_ONCE = 8;
const TICK_MS = 2;
/** Reports are prepared this long after the round before closed (ns), so many in a tick. */
const PREPARE_AFTER_NS = 320e6;
const PREPARED_AT_ONCE = 16;
/** Corrections are looked at when none has come for so long (ns). */
const READ_AFTER_NS = 10e6;
const NEWS_MS = 250;
const SERVED_NS = 1.5e9;

/** See the module head. */
export class Load {
  readonly #plan: LoadPlan;
  readonly #clocks: FleetClocks;
  readonly #agents: readonly ProtocolAgent[];
  readonly #identities = new Map<ProtocolAgent, TlsIdentity>();
  #refusedCount = 0;
  readonly #servedNs: Float64Array;
  readonly #firstNs: Float64Array;
  #term = 0n;
  #hosts: number[] = [];
  #rounds: number[] = [];
  #afterCloseMs: number[] = [];
  #errorsNs: number[] = [];
  /** By round: how long after the close the last report had left (ms). */
  readonly #leftMs = new Map<number, number>();
  #outsideBound = 0;
  #untrusted = 0;
  #lostStreams = 0;
  readonly #refusals = new Set<string>();
  /** Server's clock at the first welcome, against true time (ns); undefined: none yet. */
  #serverUnix: { readonly unixNs: bigint; readonly atNs: number } | undefined;
  #lead: ProtocolAgent | undefined;
  /** The round that is being reported, its close, and who is next in the order of their delays. */
  #round: { readonly number: bigint; readonly closeNs: number } | undefined;
  #order: ProtocolAgent[] = [];
  /** How many agents have prepared their next report. */
  #preparedCount = 0;
  /** When a correction came that was not looked at yet (ns of true time); NaN: none. */
  #mailNs = Number.NaN;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    const start: FleetStart = {
      seed: plan.seed,
      monotonicNs: BigInt(plan.monotonicNs),
      unixNs: BigInt(plan.unixNs),
    };
    this.#clocks = new FleetClocks(start);
    this.#servedNs = new Float64Array(plan.hostCount).fill(-Infinity);
    this.#firstNs = new Float64Array(plan.hostCount).fill(Number.NaN);
    const events = {
      onMail: () => {
        this.#mailNs = this.#clocks.nowNs();
      },
      onCorrection: (host: number, arrival: Arrival) => this.#note(host, arrival),
      onLost: (host: number) => this.#lost(host),
      onServerTime: (unixNs: bigint) => {
        this.#serverUnix ??= { unixNs, atNs: this.#clocks.nowNs() };
      },
      onRefusal: (reason: string) => this.#refusals.add(reason),
    };
    this.#agents = Array.from(
      { length: plan.hostCount },
      (_, i) => new ProtocolAgent(plan.firstHost + i, plan.seed, this.#clocks, events, plan.lie),
    );
  }

  /** Enrols all hosts. @param tell hears how far things are, from now on */
  async enrol(tell: (news: LoadNews) => void): Promise<void> {
    setInterval(
      () =>
        tell({
          enrolledCount: this.#identities.size,
          refusedCount: this.#refusedCount,
          servedCount: this.#servedCount(),
        }),
      NEWS_MS,
    );
    const waiting = [...this.#agents];
    const some = async () => {
      for (let agent = waiting.pop(); agent; agent = waiting.pop()) await this.#enrolOne(agent);
    };
    await Promise.all(Array.from({ length: ENROL_AT_ONCE }, some));
  }

  async #enrolOne(agent: ProtocolAgent): Promise<void> {
    const { address, enrolment } = this.#plan;
    const { caFingerprint, enrolmentToken } = enrolment;
    const owner = { domain: "default", hostId: hostIdOf(agent.host), caFingerprint };
    const asked = new HostEnrolment(owner, enrolmentToken);
    try {
      this.#identities.set(agent, await asked.at(address));
    } catch (error) {
      if (!this.#plan.lie || !(error instanceof EnrolmentError)) throw error;
      this.#refusals.add(error.message);
      this.#refusedCount++;
    }
  }

  /** Opens the streams of those who have enrolled, and begins to report. */
  open(): void {
    const { address, openOverMs } = this.#plan;
    let i = 0;
    for (const [agent, identity] of this.#identities) {
      setTimeout(() => agent.open(address, identity), (openOverMs * i++) / this.#identities.size);
    }
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** What has come since the last call. */
  tally(): LoadTally {
    for (const agent of this.#agents) agent.read();
    const tally = {
      hosts: Int32Array.from(this.#hosts),
      rounds: Float64Array.from(this.#rounds),
      afterCloseMs: Float64Array.from(this.#afterCloseMs),
      reportedRounds: Float64Array.from(this.#leftMs.keys()),
      leftMs: Float64Array.from(this.#leftMs.values()),
      errorsNs: Float64Array.from(this.#errorsNs),
      outsideBound: this.#outsideBound,
      untrusted: this.#untrusted,
      lostStreams: this.#lostStreams,
      refusals: [...this.#refusals],
    };
    [this.#hosts, this.#rounds, this.#afterCloseMs, this.#errorsNs] = [[], [], [], []];
    this.#outsideBound = 0;
    this.#untrusted = 0;
    this.#lostStreams = 0;
    this.#refusals.clear();
    this.#leftMs.clear();
    return tally;
  }

  back(): LoadBack {
    return { firstNs: this.#firstNs };
  }

  #servedCount(): number {
    const sinceNs = this.#clocks.nowNs() - SERVED_NS;
    return this.#servedNs.reduce((count, atNs) => count + (atNs > sinceNs ? 1 : 0), 0);
  }

  #lost(host: number): void {
    this.#lostStreams++;
    this.#servedNs[host - this.#plan.firstHost] = -Infinity;
  }

  #note(host: number, arrival: Arrival): void {
    const { arrivedNs, closeNs, errorNs, boundNs, trusted, term, round, isReference } = arrival;
    const i = host - this.#plan.firstHost;
    if (term > this.#term) {
      this.#term = term;
      this.#firstNs.fill(Number.NaN);
    }
    this.#hosts.push(host);
    this.#rounds.push(round);
    this.#afterCloseMs.push((arrivedNs - closeNs) / 1e6);
    if (!trusted) {
      this.#untrusted++;
      return;
    }
    this.#lead ??= this.#agents[i];
    this.#servedNs[i] = arrivedNs;
    if (term === this.#term && Number.isNaN(this.#firstNs[i])) this.#firstNs[i] = arrivedNs;
    if (isReference) return;
    this.#errorsNs.push(Math.abs(errorNs));
    if (Math.abs(errorNs) > boundNs) this.#outsideBound++;
  }

  #tick(): void {
    const nowNs = this.#clocks.nowNs();
    this.#beginRound(nowNs);
    if (nowNs - this.#mailNs > READ_AFTER_NS) this.#read();
    const round = this.#round;
    if (!round) return;
    if (nowNs > round.closeNs + PREPARE_AFTER_NS) this.#prepare(round.number + 1n);
    this.#report(round, nowNs);
  }

  /** Sends the reports that are due. */
  #report({ number, closeNs }: { number: bigint; closeNs: number }, nowNs: number): void {
    let last = this.#order.at(-1);
    if (!last || nowNs < closeNs + last.reportDelayNs) return;
    while (last && nowNs >= closeNs + last.reportDelayNs) {
      this.#order.pop();
      last.report(number, closeNs);
      last = this.#order.at(-1);
    }
    this.#leftMs.set(Number(number), (this.#clocks.nowNs() - closeNs) / 1e6);
  }

  #read(): void {
    this.#mailNs = Number.NaN;
    for (const agent of this.#agents) agent.read();
  }

  /** Some of the reports of a round that has not closed yet. */
  #prepare(number: bigint): void {
    if (this.#preparedCount >= this.#agents.length) return;
    const closeNs = this.#closeOf(number);
    const end = Math.min(this.#agents.length, this.#preparedCount + PREPARED_AT_ONCE);
    while (this.#preparedCount < end) this.#agents[this.#preparedCount++].prepare(number, closeNs);
  }

  /** When a new round has closed, all have to report it, in the order of their delays. */
  #beginRound(nowNs: number): void {
    const number = this.#roundAt(nowNs);
    if (number === undefined || (this.#round && number <= this.#round.number)) return;
    const closeNs = this.#closeOf(number);
    this.#round = { number, closeNs };
    this.#preparedCount = 0;
    this.#order = [...this.#agents].sort((a, b) => b.reportDelayNs - a.reportDelayNs);
  }

  #roundAt(nowNs: number): bigint | undefined {
    const line = this.#lead?.line;
    if (line) {
      const rawNs = this.#clocks.rawAt(this.#lead!.host, nowNs);
      return line.at(rawNs as Parameters<typeof line.at>[0]).unixNs / BigInt(ROUND_NS);
    }
    const server = this.#serverUnix;
    if (!server) return undefined;
    return (server.unixNs + BigInt(Math.round(nowNs - server.atNs))) / BigInt(ROUND_NS);
  }

  #closeOf(round: bigint): number {
    const unixNs = round * BigInt(ROUND_NS);
    const line = this.#lead?.line;
    if (line) return this.#clocks.trueAt(this.#lead!.host, line.rawAt(unixNanos(unixNs)));
    const server = this.#serverUnix!;
    return server.atNs + Number(unixNs - server.unixNs);
  }
}
