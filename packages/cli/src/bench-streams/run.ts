/**
 * Runs the benchmark of streams: a server, agents in other processes, and what is done to them.
 *
 * The order is: all join, a while to settle, a stretch that is measured; then, as asked for, another
 * stretch beside readers that have stalled, and a server that is killed and started again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Stretch, stretchOf } from "./figures.ts";
import type { LoadPlan } from "./load.ts";
import { LoadProcess } from "./load-process.ts";
import { machineUse } from "./machine.ts";
import { ServerProcess } from "./server-process.ts";
import { StalledReaders } from "./stalled.ts";

/** What to run. */
export interface StreamsPlan {
  readonly agents: number;
  /** Length of each measured stretch (s). */
  readonly seconds: number;
  readonly processes: number;
  readonly seed: number;
  readonly restart: boolean;
  readonly stalled: number;
  /** Path of `ttcs.js`. */
  readonly program: string;
}

/** The server's use of the machine in a stretch. */
export interface ServerUse {
  /** Of one processor (0 to 1 and more). */
  readonly cpu: number;
  /** Processor time of the domain's core, per round (ms). */
  readonly coreMsPerRound: number;
  readonly memoryMb: number;
  /** Processors that neither the server nor the agents have used. */
  readonly othersCpu: number;
  readonly agentsCpu: number;
}

export interface Measured {
  readonly stretch: Stretch;
  readonly use: ServerUse;
}

/** What came of the run. */
export interface StreamsResult {
  /** From the agents' start until all had a certificate (s). */
  readonly enrolledAfterS: number;
  /** From the first stream's opening until all were served (s); NaN: they never were. */
  readonly joinedAfterS: number;
  readonly calm: Measured;
  /** Beside stalled readers: rounds, and when the last of them was ended (s); NaN: not. */
  readonly stalled?: Measured & { readonly endedAfterS: number; readonly logLines: number };
  readonly restart?: {
    /** From the kill until the new server listened, and until all were served again (s). */
    readonly listeningAfterS: number;
    readonly backAfterS: number;
    /** When half of them were back (s). */
    readonly halfBackAfterS: number;
    readonly servedCount: number;
  };
}

/** Streams are opened over this long (ms): a fleet that is switched on at once. */
const OPEN_OVER_MS = 2_000;
const JOIN_PATIENCE_S = 60;
const ENROL_PATIENCE_S = 120;
/** Before a stretch is measured (s): the meshes have been dealt, and the compiler has seen the rounds. */
const SETTLE_S = 20;
const BACK_PATIENCE_S = 60;
const LOOK_MS = 100;
const STALLED_PATIENCE_S = 60;
const ROUNDS_PER_S = 2;

/** See the module head. */
export class StreamsRun {
  readonly #plan: StreamsPlan;
  readonly #server: ServerProcess;
  #loads: LoadProcess[] = [];
  #stalled: StalledReaders | undefined;
  readonly #tell: (text: string) => void;
  readonly #monotonicNs = process.hrtime.bigint();

  /** @param tell what is being done, as it is being done */
  constructor(plan: StreamsPlan, tell: (text: string) => void) {
    this.#plan = plan;
    this.#tell = tell;
    this.#server = new ServerProcess(plan.program);
  }

  async run(): Promise<StreamsResult> {
    await this.#server.start();
    this.#startLoads();
    const enrolledAfterS = await this.#untilEnrolled();
    for (const load of this.#loads) load.open();
    const joinedAfterS = await this.#untilServed(JOIN_PATIENCE_S, "joining");
    await this.#wait(Math.min(SETTLE_S, this.#plan.seconds), "settling");
    const calm = await this.#measure("measuring");
    const stalled = this.#plan.stalled > 0 ? await this.#besideStalled() : undefined;
    const restart = this.#plan.restart ? await this.#restart() : undefined;
    const joined = { enrolledAfterS, joinedAfterS };
    return { ...joined, calm, ...(stalled ? { stalled } : {}), ...(restart ? { restart } : {}) };
  }

  async close(): Promise<void> {
    this.#stalled?.close();
    for (const load of this.#loads) load.close();
    await this.#server.close();
  }

  #startLoads(): void {
    const { agents, processes, program, seed } = this.#plan;
    const unixNs = BigInt(Date.now()) * 1_000_000n;
    for (let p = 0; p < processes; p++) {
      const firstHost = Math.floor((p * agents) / processes);
      const plan: LoadPlan = {
        address: `127.0.0.1:${this.#server.port}`,
        firstHost,
        hostCount: Math.floor(((p + 1) * agents) / processes) - firstHost,
        seed,
        enrolment: this.#server.enrolment,
        monotonicNs: `${this.#monotonicNs}`,
        unixNs: `${unixNs}`,
        openOverMs: OPEN_OVER_MS,
      };
      this.#loads.push(new LoadProcess(program, plan));
    }
  }

  async #untilEnrolled(): Promise<number> {
    const beganMs = performance.now();
    for (;;) {
      const tookS = (performance.now() - beganMs) / 1e3;
      const count = this.#loads.reduce((sum, load) => sum + load.enrolledCount, 0);
      this.#tell(`enrolling: ${count} of ${this.#plan.agents}`);
      if (count >= this.#plan.agents) return tookS;
      if (tookS > ENROL_PATIENCE_S) throw new Error(`${count} hosts enrolled in ${tookS} s`);
      await sleep(LOOK_MS);
    }
  }

  get #servedCount(): number {
    return this.#loads.reduce((sum, load) => sum + load.servedCount, 0);
  }

  async #untilServed(patienceS: number, what: string): Promise<number> {
    const beganMs = performance.now();
    for (;;) {
      const tookS = (performance.now() - beganMs) / 1e3;
      this.#tell(`${what}: ${this.#servedCount} of ${this.#plan.agents} served`);
      if (this.#servedCount >= this.#plan.agents) return tookS;
      if (tookS > patienceS) return Number.NaN;
      await sleep(LOOK_MS);
    }
  }

  async #wait(seconds: number, what: string): Promise<void> {
    for (let left = seconds; left > 0; left--) {
      this.#tell(`${what}: ${Math.ceil(left)} s, ${this.#servedCount} served`);
      await sleep(Math.min(1, left) * 1e3);
    }
  }

  async #measure(what: string, seconds = this.#plan.seconds): Promise<Measured> {
    await Promise.all(this.#loads.map((load) => load.tally()));
    const before = await this.#used();
    await this.#wait(seconds, what);
    const after = await this.#used();
    const tallies = await Promise.all(this.#loads.map((load) => load.tally()));
    const tookS = after.machine.atS - before.machine.atS;
    const cpu = (after.cpuS - before.cpuS) / tookS;
    const agentsCpu = (after.agentsS - before.agentsS) / tookS;
    const machineCpu = (after.machine.busyS - before.machine.busyS) / tookS;
    return {
      stretch: stretchOf(tallies, this.#plan.agents),
      use: {
        cpu,
        coreMsPerRound: (1e3 * (after.solveS - before.solveS)) / (tookS * ROUNDS_PER_S),
        memoryMb: after.memoryMb,
        agentsCpu,
        othersCpu: machineCpu - cpu - agentsCpu,
      },
    };
  }

  async #used() {
    const status = await this.#server.status();
    const used = this.#server.used();
    return {
      machine: machineUse(),
      cpuS: used?.cpuS ?? Number.NaN,
      memoryMb: used?.memoryMb ?? Number.NaN,
      solveS: status?.cpu.solve_s ?? Number.NaN,
      agentsS: this.#loads.reduce((sum, load) => sum + load.cpuS, 0),
    };
  }

  /** A stretch in whose first moments so many agents join and read no further. */
  async #besideStalled() {
    const { stalled, agents } = this.#plan;
    const told = () => this.#server.linesWith("a stalled stream is ended").length;
    const linesBefore = told();
    const target = { address: "127.0.0.1", port: this.#server.port };
    this.#stalled = await StalledReaders.open(target, this.#server.enrolment, stalled);
    const beganMs = performance.now();
    const ended = this.#untilStalledEnded(beganMs, agents);
    const measured = await this.#measure(`${stalled} stalled readers`);
    const endedAfterS = await ended;
    return { ...measured, endedAfterS, logLines: told() - linesBefore };
  }

  async #untilStalledEnded(beganMs: number, agents: number): Promise<number> {
    let seen = false;
    for (;;) {
      const tookS = (performance.now() - beganMs) / 1e3;
      const status = await this.#server.status();
      seen ||= (status?.agents ?? 0) > agents;
      if (seen && status && status.agents <= agents) return tookS;
      if (tookS > STALLED_PATIENCE_S) return Number.NaN;
      await sleep(LOOK_MS);
    }
  }

  async #restart() {
    const killedNs = Number(process.hrtime.bigint() - this.#monotonicNs);
    this.#tell("the server is killed");
    await this.#server.kill();
    await this.#server.start();
    const listeningNs = Number(process.hrtime.bigint() - this.#monotonicNs);
    // Those who were served by the old one count as served for a moment.
    await sleep(2_000);
    await this.#untilServed(BACK_PATIENCE_S, "coming back");
    const backs = await Promise.all(this.#loads.map((load) => load.back()));
    const firstS = backs
      .flatMap(({ firstNs }) => [...firstNs])
      .map((ns) => (ns - killedNs) / 1e9)
      .sort((a, b) => (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b));
    const back = firstS.filter((s) => s > 0);
    return {
      listeningAfterS: (listeningNs - killedNs) / 1e9,
      backAfterS: back.length === firstS.length ? back[back.length - 1] : Number.NaN,
      halfBackAfterS: back[back.length >> 1] ?? Number.NaN,
      servedCount: back.length,
    };
  }
}
