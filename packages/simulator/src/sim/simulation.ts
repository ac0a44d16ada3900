/**
 * The simulated world: the shipped cores of one coordinator and many agents, event by event.
 *
 * Only what must be in order is an event: batches, messages, ticks of the coordinator, changes of the
 * world, looks of an observer. Probes are none; each batch computes those of the next 50 ms in bulk
 * (`prober.ts`). Everything random comes from streams of one seed, and all that matters goes into one
 * hash, so that a run can be repeated and compared.
 *
 * Assumptions: computers are infinitely fast; a stream loses nothing and keeps its order.
 */
import type { AgentAction } from "@ttcs/agent/core";
import {
  type Action,
  DomainCore,
  type DomainMemory,
  memoryFromText,
  memoryToText,
} from "@ttcs/coordinator/core";
import type { CoordinatorMessage, ExchangeFlush } from "@ttcs/protocol";
import { mix32, Prng } from "@ttcs/units";
import { Fleet } from "../servers/fleet.ts";
import { type Turn, turnsOf } from "./changes.ts";
import { DAEMON_EVERY_NS } from "./daemon.ts";
import { EventHash } from "./event-hash.ts";
import { EventQueue } from "./event-queue.ts";
import { UNIX_ZERO_NS } from "./host-clock.ts";
import { type Lie, lyingReport, shiftOf } from "./lies.ts";
import { Network } from "./network.ts";
import { domainOptions, type SimOptions } from "./options.ts";
import { type Letter, Post } from "./post.ts";
import { SimHost } from "./sim-host.ts";
import { applyTurn } from "./turns.ts";
import type { Witness } from "./witness.ts";

const BATCH = 0;
const TICK = 1;
const LETTER = 2;
const TURN = 3;
const DAEMON = 4;
const LOOK = 5;

/** The coordinator's shell calls this often (ns). */
const TICK_NS = 20e6;
/** Agents find a coordinator within this (ns). */
const CONNECT_NS_MAX = 1e9;
/** A stream that carries nothing is noticed after this (ns). */
const SILENCE_NS = 6e9;
/** The first term. */
const FIRST_TERM = 100n;

/** See the module head. */
export class Simulation {
  readonly options: SimOptions;
  readonly hosts: readonly SimHost[];
  readonly network: Network;
  readonly hash = new EventHash();
  server: DomainCore | undefined;
  /** Several servers instead of that one. */
  readonly fleet: Fleet | undefined;
  nowNs = 0;
  /** What the coordinator that died last had asked to be remembered. */
  lastMemory: DomainMemory | undefined;
  #remembered: DomainMemory | undefined;
  /** Steps of system clocks by our own hand, by host. */
  readonly steps: number[];
  /** What agents and coordinator have logged; undefined: nobody asked. */
  log: string[] | undefined;
  /** Stands between coordinator and agents, if set: what a hostile one would say instead. */
  tamper: ((host: SimHost, message: CoordinatorMessage) => CoordinatorMessage) | undefined;
  /** Called with every flush that an agent sends; undefined: nobody listens. */
  onFlush: ((flush: ExchangeFlush) => void) | undefined;
  readonly #random: Prng;
  readonly #queue = new EventQueue();
  readonly #post = new Post();
  readonly #turns: readonly Turn[];
  readonly #byNumber = new Map<number, SimHost>();
  readonly #byConnection = new Map<number, SimHost>();
  #connections = 0;
  #term = FIRST_TERM;
  /** Is told what agents do at the instant they do it. */
  witness: Witness | undefined;
  readonly #looks: { readonly look: () => void; readonly everyNs: number }[] = [];

  constructor(options: SimOptions) {
    const { seed, hosts, regions, link, wan } = options;
    this.options = options;
    this.#random = new Prng(mix32(seed, 1));
    this.hosts = Array.from({ length: hosts }, (_, i) => new SimHost(i, options));
    this.steps = new Array(hosts).fill(0);
    const far = (from: number, to: number) => from % regions !== to % regions;
    this.network = new Network(mix32(seed, 2), hosts, (from, to) =>
      wan && far(from, to) ? wan : link,
    );
    this.#turns = turnsOf(options.changes);
    this.#turns.forEach((turn, i) => {
      this.#queue.add(turn.atS * 1e9, TURN, i);
    });
    const several = options.servers > 0;
    this.fleet = several ? new Fleet(options, this, new Prng(mix32(seed, 5))) : undefined;
    if (!this.fleet) this.startServer();
    for (const host of this.hosts) {
      const phaseNs = this.#random.uniform() * options.batchNs;
      this.#queue.add(options.batchPhaseNs ?? phaseNs, BATCH, host.index);
      if (host.daemon) this.#queue.add(0, DAEMON, host.index);
      this.startAgent(host);
    }
    this.#queue.add(TICK_NS, TICK, 0);
  }

  /** Calls `look` every `everyNs` from then on, in between all other events. */
  observe(everyNs: number, look: () => void): void {
    this.#queue.add(this.nowNs + everyNs, LOOK, this.#looks.length);
    this.#looks.push({ look, everyNs });
  }

  /** Lets everything happen up to `untilNs`. */
  run(untilNs: number): void {
    const queue = this.#queue;
    while (queue.nextNs <= untilNs) {
      queue.take();
      this.nowNs = queue.atNs;
      this.#happen(queue.kind, queue.subject);
    }
    this.nowNs = untilNs;
  }

  /** A coordinator comes up, with an empty memory or another's; agents find it by and by. */
  startServer(memory?: DomainMemory): void {
    if (this.fleet) return;
    this.server = new DomainCore({
      ...domainOptions(this.options),
      term: ++this.#term,
      ...(memory ? { memory } : {}),
    });
    for (const host of this.hosts) if (host.alive && !host.partitioned) this.#connectSoon(host);
  }

  /** The coordinator dies; agents notice at once. */
  killServer(): void {
    // Through the document, as a store has it.
    this.lastMemory = this.#remembered && memoryFromText(memoryToText(this.#remembered));
    this.server = undefined;
    for (const host of this.hosts) this.hangUp(host, "the coordinator died");
  }

  startAgent(host: SimHost): void {
    host.start(this.nowNs);
    this.witness?.started(host);
    this.#act(host, host.core.handleStart(host.saved, host.bootId, host.rawAt(this.nowNs)));
    const lies = this.options.lies.filter((l) => l.host === host.index && l.stamps);
    host.lieNs = lies.length > 0 ? (peer) => this.#toldNs(lies, peer) : undefined;
    if (this.fleet) this.fleet.search(host);
    else if (this.server && !host.partitioned) this.#connectSoon(host);
  }

  killAgent(host: SimHost): void {
    const { connection } = host;
    host.stop();
    if (this.fleet) this.fleet.gone(host, connection);
    else this.#closeAtServer(connection);
  }

  /** Something happens later. */
  later(afterNs: number, then: () => void): void {
    this.#later(afterNs, { to: "then", host: 0, then });
  }

  /** A message of a server goes to an agent. */
  deliver({ index }: SimHost, connection: number, message: CoordinatorMessage): void {
    this.#later(this.options.messageNs, { to: "agent", host: index, connection, message });
  }

  /** A stream ends at the agent's end. */
  hangUp(host: SimHost, reason: string): void {
    if (host.connection === 0) return;
    host.connection = 0;
    this.#act(host, host.core.handleDisconnected(reason));
  }

  /** Nothing passes between a host and the coordinator any more; both notice by and by. */
  partition(host: SimHost): void {
    host.partitions++;
    const { index, connection } = host;
    if (this.fleet) return;
    this.#later(SILENCE_NS, { to: "hang up", host: index, connection });
  }

  /** The way to the coordinator is open again. */
  rejoin(host: SimHost): void {
    host.partitions--;
    if (host.partitioned) return;
    // A short cut is not noticed: the stream goes on.
    if (host.connection === 0 && host.alive && this.server) this.#connectSoon(host);
  }

  #happen(kind: number, subject: number): void {
    const queue = this.#queue;
    if (kind === BATCH) {
      const host = this.hosts[subject];
      queue.add(this.nowNs + this.options.batchNs, BATCH, subject);
      if (host.alive && this.nowNs >= host.pausedUntilNs) {
        this.#act(host, host.core.handleBatch(host.batch(this.nowNs)));
      }
    } else if (kind === LETTER) this.#deliver(subject);
    else if (kind === TICK) {
      queue.add(this.nowNs + TICK_NS, TICK, 0);
      if (this.server) this.#serve(this.server.handleTick(this.serverTime()));
    } else if (kind === TURN) {
      this.hash.number(this.nowNs);
      applyTurn(this, this.#turns[subject], this.#random);
    } else if (kind === DAEMON) {
      queue.add(this.nowNs + DAEMON_EVERY_NS, DAEMON, subject);
      this.hosts[subject].daemon?.look(this.nowNs);
    } else {
      const { look, everyNs } = this.#looks[subject];
      queue.add(this.nowNs + everyNs, LOOK, subject);
      look();
    }
  }

  #deliver(slot: number): void {
    const letter = this.#post.peek(slot);
    const host = this.hosts[letter.host];
    const forAgent = letter.to === "agent" || letter.to === "peer";
    if (forAgent && this.nowNs < host.pausedUntilNs) {
      this.#queue.add(host.pausedUntilNs, LETTER, slot);
      return;
    }
    this.#post.take(slot);
    this.#open(letter, host);
  }

  #open(letter: Letter, host: SimHost): void {
    if (letter.to === "then") {
      letter.then();
      return;
    }
    if (letter.to === "peer") {
      if (host.alive) this.#act(host, host.core.handleFlush(letter.message));
      return;
    }
    if (letter.to === "connect") {
      if (host.alive && host.connection === 0 && !host.partitioned) this.#connect(host);
      return;
    }
    if (letter.to === "hang up") {
      if (host.connection !== letter.connection || !host.partitioned) return;
      this.hangUp(host, "nothing was heard of it");
      this.#closeAtServer(letter.connection);
      return;
    }
    if (host.connection !== letter.connection || host.partitioned) return;
    if (letter.to === "agent") {
      this.#tellAgent(host, this.tamper?.(host, letter.message) ?? letter.message);
    } else if (this.fleet) this.fleet.hear(letter.connection, letter.message);
    else if (this.server) {
      this.#serve(this.server.handleMessage(letter.connection, letter.message, this.serverTime()));
    }
  }

  #tellAgent(host: SimHost, message: CoordinatorMessage): void {
    this.fleet?.told(host, message);
    const { body } = message;
    if (body.case === "correction") {
      const { hash } = this;
      hash.word(host.index);
      hash.number(body.value.segments[0]?.domainFractionNs ?? 0);
      hash.number(body.value.offsetSigmaNs);
      hash.number(body.value.boundNs);
    }
    const { keeper } = host.core;
    const { term, line, correction } = keeper;
    const rawNs = host.rawAt(this.nowNs);
    const boundNs = this.witness ? keeper.lineError(rawNs).boundNs : 0;
    const actions = host.core.handleMessage(message, rawNs);
    if (keeper.correction !== correction) this.witness?.obeyed(host, { term, line, boundNs });
    this.#act(host, actions);
  }

  #connectSoon(host: SimHost): void {
    const waitNs = this.#random.uniform() * CONNECT_NS_MAX;
    this.#later(waitNs, { to: "connect", host: host.index });
  }

  #connect(host: SimHost): void {
    if (!this.server) return;
    this.connected(host, ++this.#connections);
  }

  /** An agent's end of a stream is open: it introduces itself. */
  connected(host: SimHost, connection: number): void {
    host.connection = connection;
    this.#byConnection.set(connection, host);
    const isStandby = host.hasSource || (this.options.standby && host.index === 1);
    const quality = host.isReference ? 10 : isStandby ? 5 : 1;
    const hello = {
      hostId: host.id,
      region: host.region,
      clockQuality: quality,
      correctClock: !host.hasSource,
      // Carries the index, by which assignments name their destinations.
      probeAddress: String(host.index),
      managementAddress: host.id,
      bootId: host.bootId,
    };
    this.#act(host, host.core.handleConnected(hello));
  }

  #closeAtServer(connection: number): void {
    this.#byConnection.delete(connection);
    if (connection === 0 || !this.server) return;
    this.#serve(this.server.handleClose(connection, this.serverTime()));
  }

  #act(host: SimHost, actions: readonly AgentAction[]): void {
    for (const action of actions) this.#perform(host, action);
  }

  #perform(host: SimHost, a: AgentAction): void {
    if (a.kind === "flush") this.#sendFlush(host, a);
    else if (a.kind === "report") {
      const { index, connection } = host;
      const lies = this.options.lies.filter((l) => l.host === index && !l.stamps);
      const shift = (to: number) => this.#toldNs(lies, to);
      const message = lies.length > 0 ? lyingReport(a.message, shift, host.number) : a.message;
      if (connection !== 0) {
        this.#later(this.options.messageNs, {
          to: "coordinator",
          host: index,
          connection,
          message,
        });
      }
    } else if (a.kind === "adjust") {
      this.hash.number(a.freqPpb);
      this.witness?.wrote(host, a.freqPpb);
      const rawNs = host.clock.adjust(this.nowNs, a.freqPpb);
      this.#act(host, host.core.handleAdjusted(rawNs, a.freqPpb));
    } else if (a.kind === "step") {
      this.hash.number(a.stepNs);
      this.steps[host.index]++;
      this.witness?.stepped(host, a.stepNs);
      const rawNs = host.clock.step(this.nowNs, a.stepNs);
      this.#act(host, host.core.handleStepped(rawNs, a.stepNs));
      this.#perform(host, { kind: "adjust", freqPpb: a.freqPpb });
    } else if (a.kind === "identify") {
      host.number = a.hostNumber;
      this.#byNumber.set(a.hostNumber, host);
    } else if (a.kind === "probe") {
      const to = a.targets.map(({ hostNumber, address }) => {
        const receiver = this.hosts[Number(address)];
        return {
          number: hostNumber,
          receiver,
          link: this.network.link(host.index, receiver.index),
        };
      });
      host.peers = new Map(to.map(({ number, receiver }) => [number, receiver]));
      host.prober.setDestinations(to, a.pairsPerSecond, this.nowNs);
    } else if (a.kind === "save") host.saved = a.text;
    else if (a.kind === "log") this.note(host.id, a.text);
  }

  #sendFlush(host: SimHost, a: Extract<AgentAction, { kind: "flush" }>): void {
    this.onFlush?.(a.message);
    const peer = host.peers.get(a.hostNumber);
    if (!peer?.alive) return;
    const link = this.network.link(host.index, peer.index);
    if (link.isCut || this.network.link(peer.index, host.index).isCut) return;
    const delayNs = this.options.messageNs + link.baseNs;
    this.#later(delayNs, { to: "peer", host: peer.index, message: a.message });
  }

  #serve(actions: readonly Action[]): void {
    for (const a of actions) {
      if (a.kind === "log") this.note("coordinator", a.text);
      if (a.kind === "remember") this.#remembered = a.memory;
      if (a.kind !== "send") continue;
      const host = this.#byConnection.get(a.connection);
      if (!host) continue;
      this.deliver(host, a.connection, a.message);
    }
  }

  /** What all these lies come to for the host of this number (ns). */
  #toldNs(lies: readonly Lie[], number: number): number {
    const host = this.#byNumber.get(number);
    if (!host) return 0;
    let sumNs = 0;
    for (const lie of lies) {
      if (lie.to === undefined || lie.to.includes(host.index)) sumNs += shiftOf(lie, this.nowNs);
    }
    return sumNs;
  }

  note(who: string, text: string): void {
    this.hash.text(text);
    this.log?.push(`${(this.nowNs / 1e9).toFixed(2)} ${who} ${text}`);
  }

  serverTime() {
    const unixNs = UNIX_ZERO_NS + BigInt(Math.round(this.nowNs));
    return { monotonicMs: this.nowNs / 1e6, unixNs };
  }

  #later(afterNs: number, letter: Letter): void {
    this.#queue.add(this.nowNs + afterNs, LETTER, this.#post.put(letter));
  }
}
