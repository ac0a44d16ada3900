/**
 * Several servers in a simulated world, and the agents' way to whichever of them leads.
 *
 * Each server runs the shipped lease core and, while it leads, the shipped domain core with an empty
 * memory. Agents know all servers. They turn to the next when one is silent, and go where they are
 * sent (`route.ts`).
 */
import { DomainCore, type DomainOptions } from "@ttcs/coordinator/core";
import type { AgentMessage, CoordinatorMessage } from "@ttcs/protocol";
import type { Prng } from "@ttcs/units";
import type { Change } from "../sim/changes.ts";
import { domainOptions, type SimOptions } from "../sim/options.ts";
import type { SimHost } from "../sim/sim-host.ts";
import { type Later, SimDatabase, USUAL_LATENCY_NS } from "./database.ts";
import { BEGIN_NS, FIRST_WORD_NS, Route, SILENT_NS } from "./route.ts";
import { SimServer } from "./server.ts";

/** Servers beat this often (ns), and agents look whether they have heard anything. */
const BEAT_NS = 20e6;
const LISTEN_NS = 100e6;
/** Agents look for a server within this after their start (ns). */
const CONNECT_NS_MAX = 1e9;

/** What the fleet needs of its world. */
export interface FleetWorld {
  readonly nowNs: number;
  readonly later: Later;
  serverTime(): { readonly monotonicMs: number; readonly unixNs: bigint };
  /** The agent's end of a stream is open, or has ended. */
  connected(host: SimHost, connection: number): void;
  hangUp(host: SimHost, reason: string): void;
  /** Hands a message over after its flight. */
  deliver(host: SimHost, connection: number, message: CoordinatorMessage): void;
  note(who: string, text: string): void;
}

/** See the module head. */
export class Fleet {
  readonly database: SimDatabase;
  readonly servers: readonly SimServer[];
  readonly #world: FleetWorld;
  readonly #messageNs: number;
  readonly #random: Prng;
  readonly #routes: readonly Route[];
  readonly #heardNs: Float64Array;
  /** How long the host waits for the next word of its server (ns). */
  readonly #patienceNs: Float64Array;
  /** Counts a host's searches: a new one ends the one before. */
  readonly #searches: number[];
  readonly #streams = new Map<number, { readonly server: SimServer; readonly host: SimHost }>();
  #connections = 0;

  constructor(options: SimOptions, world: FleetWorld, random: Prng) {
    const { servers: count, hosts, messageNs } = options;
    const domain = domainOptions(options);
    this.#world = world;
    this.#messageNs = messageNs;
    this.#random = random;
    this.database = new SimDatabase((afterNs, then) => world.later(afterNs, then));
    this.#routes = Array.from({ length: hosts }, (_, i) => new Route(count, i));
    this.#heardNs = new Float64Array(hosts);
    this.#patienceNs = new Float64Array(hosts);
    this.#searches = Array(hosts).fill(0);
    this.servers = Array.from({ length: count }, (_, i) => this.#server(i, domain));
    for (const server of this.servers) this.#beat(server);
  }

  /** One end of a change of servers or database. */
  befall(change: Change, begins: boolean): void {
    const { database, servers } = this;
    if (change.kind === "server stop") {
      if (begins) servers[change.server].stop();
      else servers[change.server].goOn();
    } else if (change.kind === "server kill") {
      if (begins) servers[change.server].kill();
      else servers[change.server].start();
    } else if (change.kind === "database gone") database.isDown = begins;
    else if (change.kind === "database slow") {
      database.latencyNs = begins ? change.latencyS * 1e9 : USUAL_LATENCY_NS;
    } else if (change.kind === "database unreachable") {
      if (begins) database.unreachable.add(change.server);
      else database.unreachable.delete(change.server);
    }
  }

  /** An agent looks for a server from soon on. */
  search(host: SimHost): void {
    this.#dial(host, ++this.#searches[host.index], this.#random.uniform() * CONNECT_NS_MAX);
  }

  /** An agent is gone: so is its end of its stream. */
  gone(host: SimHost, connection: number): void {
    this.#searches[host.index]++;
    this.#close(connection, host);
  }

  /** What an agent says has arrived. */
  hear(connection: number, message: AgentMessage): void {
    this.#streams.get(connection)?.server.hear(connection, message);
  }

  /** An agent has been told something. */
  told(host: SimHost, message: CoordinatorMessage): void {
    this.#heardNs[host.index] = this.#world.nowNs;
    if (message.body.case === "correction") this.#patienceNs[host.index] = SILENT_NS;
    if (message.body.case !== "welcome") return;
    this.#patienceNs[host.index] = BEGIN_NS;
    this.#routes[host.index].arrived();
  }

  #server(index: number, domain: Omit<DomainOptions, "term">): SimServer {
    const world = this.#world;
    const stream = (connection: number) => this.#streams.get(connection);
    return new SimServer(index, {
      get nowNs() {
        return world.nowNs;
      },
      database: this.database,
      open: (term) => {
        const core = new DomainCore({ ...domain, term });
        return {
          handleMessage: (c, message) => core.handleMessage(c, message, world.serverTime()),
          handleClose: (c) => core.handleClose(c, world.serverTime()),
          handleTick: () => core.handleTick(world.serverTime()),
        };
      },
      send: (connection, message) => {
        const host = stream(connection)?.host;
        if (host) world.deliver(host, connection, message);
      },
      redirect: (connection, address) => {
        const to = this.servers.findIndex((s) => s.address === address);
        this.#endSoon(connection, to < 0 ? undefined : to, "it does not lead");
      },
      hangUp: (connection) => this.#endSoon(connection, undefined, "the server ended the stream"),
      note: (server, text) => world.note(server, text),
    });
  }

  #beat(server: SimServer): void {
    this.#world.later(BEAT_NS, () => {
      server.tick();
      this.#beat(server);
    });
  }

  #dial(host: SimHost, search: number, afterNs: number): void {
    this.#world.later(afterNs, () => {
      if (search !== this.#searches[host.index] || !host.alive) return;
      const pausedNs = host.pausedUntilNs - this.#world.nowNs;
      if (pausedNs > 0) return this.#dial(host, search, pausedNs);
      const route = this.#routes[host.index];
      const server = this.servers[route.server];
      if (host.partitioned || !server.isAlive) {
        return this.#dial(host, search, route.left(undefined));
      }
      const connection = ++this.#connections;
      this.#streams.set(connection, { server, host });
      this.#heardNs[host.index] = this.#world.nowNs;
      this.#patienceNs[host.index] = FIRST_WORD_NS;
      this.#world.connected(host, connection);
      this.#listen(host, connection);
    });
  }

  /** Gives a silent stream up. */
  #listen(host: SimHost, connection: number): void {
    this.#world.later(LISTEN_NS, () => {
      if (host.connection !== connection) return;
      const { nowNs } = this.#world;
      // Who was not run has heard nothing, and blames nobody.
      if (nowNs < host.pausedUntilNs + LISTEN_NS) this.#heardNs[host.index] = nowNs;
      const isSilent = nowNs - this.#heardNs[host.index] >= this.#patienceNs[host.index];
      if (!isSilent) return this.#listen(host, connection);
      this.#leave(host, connection, undefined, "it is silent");
    });
  }

  /** The other end of a stream has ended: the agent hears of it after the flight. */
  #endSoon(connection: number, to: number | undefined, reason: string): void {
    const host = this.#streams.get(connection)?.host;
    if (!host) return;
    this.#world.later(this.#messageNs, () => {
      if (!host.partitioned) this.#leave(host, connection, to, reason);
    });
  }

  #leave(host: SimHost, connection: number, to: number | undefined, reason: string): void {
    if (host.connection !== connection) return;
    this.#world.hangUp(host, reason);
    this.#close(connection, host);
    const search = ++this.#searches[host.index];
    this.#dial(host, search, this.#routes[host.index].left(to) + this.#messageNs);
  }

  #close(connection: number, host: SimHost): void {
    const server = this.#streams.get(connection)?.server;
    this.#streams.delete(connection);
    if (!server) return;
    // An end that cannot be told is noticed by silence, later than anybody cares.
    if (!host.partitioned) this.#world.later(this.#messageNs, () => server.closed(connection));
  }
}
