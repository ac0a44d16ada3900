/**
 * A small deterministic world: the shipped cores of one coordinator and some agents, with simulated
 * hosts and links around them. One seed gives one course of events.
 *
 * Every 50 ms each host hands its batch to its agent; probes travel with a fixed delay per edge and
 * an exponential queue, messages with 2 ms. Nothing here knows how the cores work inside.
 */
import { type AgentAction, AgentCore } from "@ttcs/agent/core";
import { type Action, DomainCore, type DomainMemory } from "@ttcs/coordinator/core";
import { DomainLine } from "@ttcs/discipline";
import type { AgentMessage, CoordinatorMessage, ExchangeFlush, Neighbour } from "@ttcs/protocol";
import { mix32, Prng, type RawNanos, rawNanos } from "@ttcs/units";
import { SimulatedHost } from "./host.ts";

const BATCH_NS = 50e6;
const MESSAGE_NS = 2e6;
const PAIR_SPACING_NS = 10_000;
/** True civil time at the start (Unix ns): 2026-11-22. */
const UNIX_ZERO_NS = 1_795_305_600_000_000_000n;

/** What differs from one world to another. */
export interface WorldOptions {
  readonly seed: number;
  readonly hosts: number;
  /** One-way delay of every link (ns), and the mean of its queue (ns). */
  readonly baseDelayNs: number;
  readonly queueNs: number;
  /** Probes lost (0 to 1). */
  readonly loss: number;
  /**
   * Added to the delay from host 2 to host 3 alone (ns): their edge is off by half of it. With an heir
   * to all that host 2 sends: no loop shows that.
   */
  readonly asymmetryNs: number;
  /** Index of the host that leads when the reference is gone; -1: as the coordinator finds. */
  readonly heir: number;
  /** Error of the server's own clock against true time (ns). */
  readonly serverErrorNs: number;
  /** Indices of the agents that are not started at once. */
  readonly absent: readonly number[];
}

export const defaultWorld: WorldOptions = {
  seed: 1,
  hosts: 5,
  baseDelayNs: 10_000,
  queueNs: 1_000,
  loss: 0.001,
  asymmetryNs: 0,
  heir: -1,
  serverErrorNs: 0,
  absent: [],
};

interface Node {
  readonly host: SimulatedHost;
  readonly reference: boolean;
  core: AgentCore;
  connection: number;
  alive: boolean;
  /** True: nothing passes between this agent and the coordinator, and neither end notices. */
  cut: boolean;
  /** True: no probe reaches or leaves this host. */
  mute: boolean;
  /** Reports of this host travel for so much longer (ns). */
  lagNs: number;
  boots: number;
  targets: readonly { hostNumber: number }[];
  pairsPerSecond: number;
  neighbours: readonly Neighbour[];
  nextPair: number;
}

const connectionOf = (who: Node | number): number =>
  typeof who === "number" ? who : who.connection;

interface Event {
  readonly atNs: number;
  readonly run: () => void;
}

/** See the module head. */
export class World {
  readonly options: WorldOptions;
  readonly nodes: readonly Node[];
  readonly log: string[] = [];
  server: DomainCore | undefined;
  nowNs = 0;
  readonly #prng: Prng;
  readonly #events: Event[] = [];
  #nextConnection = 1;
  #term = 100n;

  constructor(options: Partial<WorldOptions> = {}) {
    this.options = { ...defaultWorld, ...options };
    const { seed, hosts } = this.options;
    this.#prng = new Prng(mix32(seed, 1));
    this.nodes = Array.from({ length: hosts }, (_, i) => this.#node(i));
    this.startServer();
    this.nodes.forEach((node, i) => {
      if (!this.options.absent.includes(i)) this.startAgent(node);
    });
  }

  /** The coordinator is ended and hands its domain to another one, which is there after `gapS`. */
  handOver(gapS: number): void {
    const { memory } = this.server!;
    this.killServer();
    this.run(gapS);
    this.startServer(memory);
  }

  /** A new coordinator takes over, with what the one before has left, if anything; agents connect. */
  startServer(memory?: DomainMemory): void {
    this.#term += 1n;
    this.server = new DomainCore({
      domain: "default",
      term: this.#term,
      pairsPerSecond: 50,
      meshSeed: this.options.seed,
      ...(memory ? { memory } : {}),
    });
    for (const node of this.nodes) if (node.alive) this.#connect(node);
  }

  /** The coordinator dies; agents notice at once. */
  killServer(): void {
    this.server = undefined;
    for (const node of this.nodes) this.#act(node, node.core.handleDisconnected("killed"));
  }

  /** Starts (or starts again) an agent with an empty memory; its clock goes on. */
  startAgent(node: Node): void {
    node.alive = true;
    node.core = this.#core(node);
    if (this.server) this.#connect(node);
  }

  killAgent(node: Node): void {
    node.alive = false;
    node.targets = [];
    this.hangUp(node);
  }

  /** The agent's machine boots: the agent starts anew, its raw clock with it. */
  reboot(node: Node): void {
    this.killAgent(node);
    node.host.reboot(this.nowNs);
    node.boots++;
    this.startAgent(node);
  }

  /** The coordinator's end of a stream notices that the agent is gone. */
  hangUp(who: Node | number): void {
    const { server } = this;
    if (server) this.#serve(server.handleClose(connectionOf(who), this.#serverTime()));
  }

  /** Hands the coordinator a message as if `who` had sent it: a node, or a stranger's stream. */
  inject(who: Node | number, message: AgentMessage): void {
    const { server } = this;
    if (server) this.#serve(server.handleMessage(connectionOf(who), message, this.#serverTime()));
  }

  /** Hands an agent a message as if the coordinator had sent it. */
  tell(node: Node, message: CoordinatorMessage): void {
    this.#act(node, node.core.handleMessage(message, this.#rawOf(node)));
  }

  /** Hands an agent stamps as if a neighbour had sent them. */
  exchange(node: Node, message: ExchangeFlush): void {
    this.#act(node, node.core.handleFlush(message));
  }

  /** Lets `seconds` pass; `each` is called after every 50 ms. */
  run(seconds: number, each: () => void = () => {}): void {
    const endNs = this.nowNs + seconds * 1e9;
    while (this.nowNs + BATCH_NS <= endNs) {
      this.nowNs += BATCH_NS;
      this.#deliver();
      for (const node of this.nodes) if (node.alive) this.#beat(node);
      if (this.server) this.#serve(this.server.handleTick(this.#serverTime()));
      each();
    }
  }

  /** The reference's node: of those that take themselves for it, the one that heard last. */
  get reference(): Node {
    const leads = this.nodes.filter((n) => n.alive && n.core.keeper.correction?.isReference);
    const newest = (a: Node, b: Node) => (b.core.keeper.round > a.core.keeper.round ? b : a);
    return leads.length > 0 ? leads.reduce(newest) : this.nodes[0];
  }

  /** System clock minus domain time in truth (ns); undefined before there is domain time. */
  trueErrorNs(node: Node): number | undefined {
    const { reference } = this;
    const line = reference.core.keeper.line;
    if (!line) return undefined;
    const raw = rawNanos(reference.host.rawAt(this.nowNs));
    const domain = new DomainLine(line.segments).at(raw);
    return Number(node.host.systemAt(this.nowNs) - domain.unixNs) - domain.fractionNs;
  }

  /** What the agent says now. */
  standing(node: Node) {
    return node.core.standing(this.#rawOf(node));
  }

  #node(index: number): Node {
    const { seed } = this.options;
    const prng = new Prng(mix32(seed, 100 + index));
    const reference = index === 0;
    const systemErrorNs = reference ? 20_000 : prng.between(-5e6, 5e6);
    const freqPpb = prng.between(-20_000, 20_000);
    const host = new SimulatedHost(
      `h${index + 1}`,
      mix32(seed, index),
      UNIX_ZERO_NS,
      systemErrorNs,
      freqPpb,
    );
    // The reference's own daemon has taken out its crystal's error.
    if (reference) host.adjust(0, -freqPpb);
    const node = {
      host,
      reference,
      connection: 0,
      alive: false,
      cut: false,
      mute: false,
      lagNs: 0,
      boots: 0,
      targets: [],
      pairsPerSecond: 0,
      neighbours: [],
      nextPair: 0,
    };
    return { ...node, core: this.#core(node) };
  }

  #core(node: Pick<Node, "host" | "reference">): AgentCore {
    return new AgentCore({
      hostId: node.host.id,
      domain: "default",
      correctClock: !node.reference,
      coordinatorAddress: "server:6176",
    });
  }

  #connect(node: Node): void {
    node.connection = this.#nextConnection++;
    const hello = {
      hostId: node.host.id,
      clockQuality: node.reference ? 10 : node === this.nodes[this.options.heir] ? 5 : 1,
      correctClock: !node.reference,
      bootId: `${node.host.id} ${node.boots}`,
    };
    this.#act(node, node.core.handleConnected(hello));
  }

  #beat(node: Node): void {
    this.#probe(node);
    const batch = node.host.batch(this.nowNs, BATCH_NS, node.reference);
    this.#act(node, node.core.handleBatch(batch));
  }

  /** Sends the pairs that are due in the next 50 ms; their arrivals are stamped in time. */
  #probe(node: Node): void {
    const pairs = (node.pairsPerSecond * BATCH_NS) / 1e9;
    const { loss } = this.options;
    for (const target of node.targets) {
      const peer = this.nodes.find((n) => n.core?.hostNumber === target.hostNumber && n.alive);
      for (let i = 0; i < pairs; i++) {
        const pair = node.nextPair++;
        const sentNs = this.nowNs + this.#prng.uniform() * BATCH_NS * 0.9;
        for (const slot of [0, 1]) {
          const probe = 2 * pair + slot;
          const departNs = sentNs + slot * PAIR_SPACING_NS;
          this.#at(departNs, () => node.host.stampSent(departNs, target.hostNumber, probe));
          if (!peer || node.mute || peer.mute || this.#prng.uniform() < loss) continue;
          const arriveNs = departNs + this.#delayNs(node, peer);
          const from = node.core.hostNumber;
          this.#at(arriveNs, () => peer.host.stampReceived(arriveNs, from, probe));
        }
      }
    }
  }

  #delayNs(from: Node, to: Node): number {
    const { baseDelayNs, queueNs, seed } = this.options;
    const pair = [from.host.id, to.host.id].sort().join();
    const spread = new Prng(
      mix32(seed, pair.length + pair.charCodeAt(1) * 31 + pair.charCodeAt(4)),
    );
    const { asymmetryNs, heir } = this.options;
    const reached = from === this.nodes[1] && (to === this.nodes[2] || heir >= 0);
    const longer = reached ? asymmetryNs : 0;
    return baseDelayNs * spread.between(0.8, 1.2) + longer + this.#prng.exponential(queueNs);
  }

  #act(node: Node, actions: readonly AgentAction[]): void {
    for (const a of actions) this.#perform(node, a);
  }

  #perform(node: Node, a: AgentAction): void {
    if (a.kind === "probe") {
      node.targets = a.targets;
      node.pairsPerSecond = a.pairsPerSecond;
    } else if (a.kind === "neighbours") node.neighbours = a.neighbours;
    else if (a.kind === "log")
      this.log.push(`${(this.nowNs / 1e9).toFixed(2)} ${node.host.id} ${a.text}`);
    else if (a.kind === "adjust") {
      const rawNs = node.host.adjust(this.nowNs, a.freqPpb);
      this.#act(node, node.core.handleAdjusted(rawNanos(rawNs), a.freqPpb));
    } else if (a.kind === "step") {
      const rawNs = node.host.step(this.nowNs, a.stepNs);
      this.#act(node, node.core.handleStepped(rawNanos(rawNs), a.stepNs));
      this.#perform(node, { kind: "adjust", freqPpb: a.freqPpb });
    } else if (a.kind === "report") {
      const { connection } = node;
      this.#later(() => {
        const { server } = this;
        if (!server || node.cut || connection !== node.connection) return;
        this.#serve(server.handleMessage(connection, a.message, this.#serverTime()));
      }, node.lagNs);
    } else if (a.kind === "flush") {
      this.#later(() => {
        const peer = this.nodes.find((n) => n.core.hostNumber === a.hostNumber && n.alive);
        if (peer) this.#act(peer, peer.core.handleFlush(a.message));
      });
    }
  }

  #serve(actions: readonly Action[]): void {
    for (const a of actions) {
      if (a.kind === "end" || a.kind === "remember") continue;
      if (a.kind === "log") {
        this.log.push(`${(this.nowNs / 1e9).toFixed(2)} server ${a.text}`);
        continue;
      }
      this.#later(() => {
        const node = this.nodes.find((n) => n.connection === a.connection && n.alive);
        if (node && !node.cut) {
          this.#act(node, node.core.handleMessage(a.message, this.#rawOf(node)));
        }
      });
    }
  }

  #rawOf(node: Node): RawNanos {
    return rawNanos(node.host.rawAt(this.nowNs));
  }

  #serverTime() {
    const unixNs = UNIX_ZERO_NS + BigInt(Math.round(this.nowNs + this.options.serverErrorNs));
    return { monotonicMs: this.nowNs / 1e6, unixNs };
  }

  #later(run: () => void, lagNs = 0): void {
    this.#at(this.nowNs + MESSAGE_NS + lagNs, run);
  }

  /** Puts an event in its place: the queue is in order of time, then of coming in. */
  #at(atNs: number, run: () => void): void {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle].atNs <= atNs) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { atNs, run });
  }

  /** Runs all events up to now, in order, and those that they cause in the same span. */
  #deliver(): void {
    const untilNs = this.nowNs;
    while (this.#events.length > 0 && this.#events[0].atNs <= untilNs) {
      const event = this.#events.shift()!;
      this.nowNs = event.atNs;
      event.run();
    }
    this.nowNs = untilNs;
  }
}
