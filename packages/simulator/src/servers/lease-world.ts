/**
 * Several servers, one database and a few agents that know the protocol only: who is obeyed?
 *
 * Clocks do not matter here, so nothing is probed: a leader sends each agent a correction every half
 * second, and agents check it with the shipped guard (`Keeper`). A run of 40 s costs a few
 * milliseconds, so that thousands of schedules can be tried. Times are simulated; a seed has one
 * course.
 */
import { create } from "@bufbuild/protobuf";
import { Keeper } from "@ttcs/agent/core";
import type { Action } from "@ttcs/coordinator/core";
import {
  type AgentMessage,
  AgentMessageSchema,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
} from "@ttcs/protocol";
import { Prng, rawNanos } from "@ttcs/units";
import { EventQueue } from "../sim/event-queue.ts";
import { SimDatabase, USUAL_LATENCY_NS } from "./database.ts";
import { FIRST_WORD_NS, Route, SILENT_NS } from "./route.ts";
import { type LedDomain, SimServer } from "./server.ts";

/** A stream whose other end's machine answers is given up by the library after this (ns). */
const PATIENT_NS = 30e9;
const TICK_NS = 40e6;
const ROUND_MS = 500;
/** Messages take up to this (ns). */
const FLIGHT_NS_MAX = 20e6;

/** Something that befalls the servers or their database. */
export interface LeaseTrouble {
  readonly kind: "stop" | "kill" | "database down" | "database slow" | "no database";
  readonly atS: number;
  readonly forS: number;
  /** Of "stop", "kill" and "no database" (one server does not reach it). */
  readonly server: number;
  /** Of "database slow" (s). */
  readonly latencyS: number;
}

/** What came of a run. */
export interface LeaseFigures {
  /** Corrections obeyed after somebody had obeyed a later term. */
  readonly oldObeyed: number;
  /** The same, of an agent that had itself obeyed a later term. */
  readonly ownOldObeyed: number;
  readonly oldRefused: number;
  readonly rowsOfOldTerm: number;
  readonly rowsRefused: number;
  readonly rowsWritten: number;
  readonly heldBack: number;
  readonly terms: number;
  /** Longest time in which some agent obeyed nothing (s), and when it ended. */
  readonly longestGapS: number;
  readonly gapEndS: number;
  readonly log: readonly string[];
}

interface ProtoAgent {
  readonly index: number;
  readonly keeper: Keeper;
  readonly route: Route;
  connection: number;
  heardNs: number;
  obeyedNs: number;
  /** How long it waits for a word of its server (ns). */
  readonly silentNs: number;
}

/** What differs from the usual world. */
export interface LeaseWorldOptions {
  /** False: servers say what they like; a test of the test. */
  readonly asksLease?: boolean;
  /** True: every other agent is slow to give a silent stream up. */
  readonly patient?: boolean;
}

/** See the module head. */
export class LeaseWorld {
  readonly database: SimDatabase;
  readonly servers: readonly SimServer[];
  readonly #agents: readonly ProtoAgent[];
  readonly #random: Prng;
  readonly #asksLease: boolean;
  readonly #queue = new EventQueue();
  readonly #then: ((() => void) | undefined)[] = [];
  readonly #free: number[] = [];
  /** Server and agent of each open stream. */
  readonly #streams = new Map<number, { server: SimServer; agent: ProtoAgent }>();
  readonly #log: string[] = [];
  #connections = 0;
  #latestTerm = 0n;
  #terms = 0;
  #oldObeyed = 0;
  #ownOldObeyed = 0;
  #oldRefused = 0;
  #longestGapNs = 0;
  #gapEndNs = 0;
  nowNs = 0;

  constructor(
    seed: number,
    serverCount: number,
    agentCount: number,
    { asksLease = true, patient = false }: LeaseWorldOptions = {},
  ) {
    this.#asksLease = asksLease;
    this.#random = new Prng(seed);
    this.database = new SimDatabase((afterNs, then) => this.#later(afterNs, then));
    this.servers = Array.from({ length: serverCount }, (_, i) => this.#server(i));
    this.#agents = Array.from({ length: agentCount }, (_, index) => ({
      index,
      keeper: new Keeper({ correctClock: false, coordinatorAddress: "s1" }),
      route: new Route(serverCount, index),
      connection: 0,
      heardNs: 0,
      obeyedNs: Number.NaN,
      silentNs: patient && index % 2 === 1 ? PATIENT_NS : SILENT_NS,
    }));
    for (const server of this.servers) this.#beat(server);
    for (const agent of this.#agents) this.#dial(agent, this.#random.uniform() * 1e9);
  }

  /** Lets these befall the world. */
  trouble(troubles: readonly LeaseTrouble[]): void {
    for (const trouble of troubles) {
      this.#later(trouble.atS * 1e9, () => this.#begin(trouble));
      this.#later((trouble.atS + trouble.forS) * 1e9, () => this.#end(trouble));
    }
  }

  run(untilS: number): LeaseFigures {
    const queue = this.#queue;
    while (queue.nextNs <= untilS * 1e9) {
      queue.take();
      this.nowNs = queue.atNs;
      const then = this.#then[queue.subject]!;
      this.#then[queue.subject] = undefined;
      this.#free.push(queue.subject);
      then();
    }
    this.nowNs = untilS * 1e9;
    for (const agent of this.#agents) this.#noteGap(agent);
    const { rowsOfOldTerm, rowsRefused, rowsWritten } = this.database;
    return {
      oldObeyed: this.#oldObeyed,
      ownOldObeyed: this.#ownOldObeyed,
      oldRefused: this.#oldRefused,
      rowsOfOldTerm,
      rowsRefused,
      rowsWritten,
      heldBack: this.servers.reduce((sum, s) => sum + s.heldBack, 0),
      terms: this.#terms,
      longestGapS: this.#longestGapNs / 1e9,
      gapEndS: this.#gapEndNs / 1e9,
      log: this.#log,
    };
  }

  #begin({ kind, server, latencyS }: LeaseTrouble): void {
    if (kind === "stop") this.servers[server].stop();
    else if (kind === "kill") this.servers[server].kill();
    else if (kind === "database down") this.database.isDown = true;
    else if (kind === "database slow") this.database.latencyNs = latencyS * 1e9;
    else this.database.unreachable.add(server);
  }

  #end({ kind, server }: LeaseTrouble): void {
    if (kind === "stop") this.servers[server].goOn();
    else if (kind === "kill") this.servers[server].start();
    else if (kind === "database down") this.database.isDown = false;
    else if (kind === "database slow") this.database.latencyNs = USUAL_LATENCY_NS;
    else this.database.unreachable.delete(server);
  }

  #server(index: number): SimServer {
    const self = this;
    return new SimServer(index, {
      get nowNs() {
        return self.nowNs;
      },
      database: this.database,
      asksLease: this.#asksLease,
      open: (term) => new ProtoDomain(term, () => self.nowNs),
      send: (connection, message) =>
        self.#fly(() => self.#tell(self.#streams.get(connection)?.agent, connection, message)),
      redirect: (connection, address) =>
        self.#fly(() =>
          self.#leave(
            connection,
            self.servers.findIndex((s) => s.address === address),
          ),
        ),
      hangUp: (connection) => self.#fly(() => self.#leave(connection, -1)),
      note: (server, text) => self.#note(server, text),
    });
  }

  #beat(server: SimServer): void {
    this.#later(TICK_NS * (0.9 + 0.2 * this.#random.uniform()), () => {
      server.tick();
      this.#beat(server);
    });
  }

  #dial(agent: ProtoAgent, afterNs: number): void {
    this.#later(afterNs, () => {
      const server = this.servers[agent.route.server];
      if (!server.isAlive) return this.#dial(agent, agent.route.left(undefined));
      const connection = ++this.#connections;
      agent.connection = connection;
      agent.heardNs = this.nowNs;
      this.#streams.set(connection, { server, agent });
      const header = { domain: "default", term: agent.keeper.term, round: 0n };
      const value = { hostId: `h${agent.index + 1}` };
      const hello = create(AgentMessageSchema, { header, body: { case: "hello", value } });
      this.#fly(() => server.hear(connection, hello));
      this.#listen(agent, connection);
    });
  }

  /** Gives a silent stream up. */
  #listen(agent: ProtoAgent, connection: number): void {
    const patienceNs = agent.keeper.connected ? agent.silentNs : FIRST_WORD_NS;
    this.#later(100e6, () => {
      if (agent.connection !== connection) return;
      if (this.nowNs - agent.heardNs < patienceNs) return this.#listen(agent, connection);
      const { server } = this.#streams.get(connection)!;
      this.#leave(connection, -1);
      this.#fly(() => server.closed(connection));
    });
  }

  #leave(connection: number, to: number): void {
    const stream = this.#streams.get(connection);
    this.#streams.delete(connection);
    if (!stream || stream.agent.connection !== connection) return;
    const { agent } = stream;
    agent.connection = 0;
    agent.keeper.connected = false;
    this.#dial(agent, agent.route.left(to < 0 ? undefined : to) + 1e6);
  }

  #tell(agent: ProtoAgent | undefined, connection: number, message: CoordinatorMessage): void {
    if (!agent || agent.connection !== connection) return;
    agent.heardNs = this.nowNs;
    if (message.body.case === "welcome") {
      agent.route.arrived();
      agent.keeper.connected = true;
    }
    if (message.body.case !== "correction") return;
    const term = message.header!.term;
    const before = agent.keeper.term;
    const rawNs = rawNanos(BigInt(Math.round(this.nowNs)));
    const refused = agent.keeper.take(message.header, message.body.value, rawNs);
    if (refused) {
      if (term < this.#latestTerm) this.#oldRefused++;
      return;
    }
    this.#noteGap(agent);
    agent.obeyedNs = this.nowNs;
    if (term < before) this.#ownOldObeyed++;
    if (term < this.#latestTerm) {
      this.#oldObeyed++;
      this.#note(`h${agent.index + 1}`, `obeys ${term} after ${this.#latestTerm}`);
    }
    if (term <= this.#latestTerm) return;
    this.#terms++;
    this.#latestTerm = term;
  }

  #note(who: string, text: string): void {
    this.#log.push(`${(this.nowNs / 1e9).toFixed(2)} ${who} ${text}`);
  }

  #noteGap({ obeyedNs }: ProtoAgent): void {
    if (!(this.nowNs - obeyedNs > this.#longestGapNs)) return;
    this.#longestGapNs = this.nowNs - obeyedNs;
    this.#gapEndNs = this.nowNs;
  }

  #fly(then: () => void): void {
    this.#later(FLIGHT_NS_MAX * this.#random.uniform(), then);
  }

  #later(afterNs: number, then: () => void): void {
    const slot = this.#free.pop() ?? this.#then.length;
    this.#then[slot] = then;
    this.#queue.add(this.nowNs + afterNs, 0, slot);
  }
}

/** A leader that corrects everybody who has joined every half second, by nothing. */
class ProtoDomain implements LedDomain {
  readonly #term: bigint;
  readonly #nowNs: () => number;
  readonly #joined = new Set<number>();
  #sentRound = 0;

  constructor(term: bigint, nowNs: () => number) {
    this.#term = term;
    this.#nowNs = nowNs;
  }

  handleMessage(connection: number, message: AgentMessage): Action[] {
    if (message.body.case !== "hello") return [];
    this.#joined.add(connection);
    return [this.#send(connection, { case: "welcome", value: { hostNumber: 1 } })];
  }

  handleClose(connection: number): Action[] {
    this.#joined.delete(connection);
    return [];
  }

  handleTick(): Action[] {
    const round = Math.floor(this.#nowNs() / 1e6 / ROUND_MS);
    if (round === this.#sentRound) return [];
    this.#sentRound = round;
    const now = BigInt(Math.round(this.#nowNs()));
    const segment = { rawNs: now, domainUnixNs: now, domainFractionNs: 0, freqPpb: 0 };
    const value = { segments: [segment], solvedRawNs: now, windowCloseRawNs: now };
    return [...this.#joined].map((c) => this.#send(c, { case: "correction", value }));
  }

  #send(
    connection: number,
    body: NonNullable<Parameters<typeof create<typeof CoordinatorMessageSchema>>[1]>["body"],
  ): Action {
    const header = { domain: "default", term: this.#term, round: BigInt(this.#sentRound) };
    const message = create(CoordinatorMessageSchema, { header, ...(body ? { body } : {}) });
    return { kind: "send", connection, message };
  }
}
