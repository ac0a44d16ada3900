/**
 * The coordinator's process: TCP 6176 and a clock around the domains' cores.
 *
 * One server runs many domains and never mixes them: a stream speaks for the host and in the domain that
 * its certificate was given for (`identity/directory.ts`), and for no other. Which domains it leads is
 * for their seats (`seat.ts`) to know; agents of the others are sent on.
 */
import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { logVerbosity, Server, setLogVerbosity } from "@grpc/grpc-js";
import { type AgentMessage, type EnrolmentRequest, hostPort } from "@ttcs/protocol";
import { failpoint, TtcsError } from "@ttcs/units";
import type { Logger } from "pino";
import { DomainCore } from "../core/domain.ts";
import type { ServerTime } from "../core/domain-options.ts";
import { Fellows } from "../core/fellows.ts";
import type { Action } from "../core/outbox.ts";
import { type AgentStream, AgentStreams } from "./agent-streams.ts";
import { CpuMeter } from "./cpu-meter.ts";
import { enrolmentHandler, enrolmentService } from "./enrolment-service.ts";
import { type DeskAnswer, EnrolmentDesk } from "./identity/desk.ts";
import { Directory, type HostIdentity } from "./identity/directory.ts";
import type { CoordinatorCounters, CoordinatorDoor, CoordinatorOptions } from "./options.ts";
import { RollCall } from "./roll-call.ts";
import { type Destination, Seat } from "./seat.ts";
import { coordinatorService } from "./service.ts";
import { faultOf, type Speaker } from "./speaker.ts";

/** Beat of deadlines (ms). */
const TICK_MS = 20;
/** A secret from which keys for probes are derived. */
const SECRET_BYTES = 32;

// What fails is told once, in our own words; the library's lines on standard error would repeat it.
setLogVerbosity(logVerbosity.NONE);

/** Agents that have been sent on are given this long to take note (ms). */
const FAREWELL_MS = 100;

/** A running coordinator. */
export class Coordinator {
  readonly counters: CoordinatorCounters = {
    undecodable_messages: 0,
    refused_messages: 0,
    unjoined_messages: 0,
    redirected_agents: 0,
    enrolments: 0,
    refused_enrolments: 0,
    revoked_streams: 0,
    ended_streams: 0,
    faults: 0,
  };
  readonly #log: Logger;
  readonly #door: CoordinatorDoor;
  readonly #server = new Server({
    "grpc.max_receive_message_length": 1 << 20,
    "grpc.keepalive_time_ms": 5_000,
    "grpc.keepalive_timeout_ms": 3_000,
    "grpc.max_concurrent_streams": 4,
    // Bookkeeping for debugging tools that nobody asks.
    "grpc.enable_channelz": 0,
    // In MB, of one connection.
    "grpc-node.max_session_memory": 4,
  });
  readonly #seats = new Map<string, Seat>();
  readonly #options: CoordinatorOptions;
  readonly #rollCall: RollCall;
  readonly #streams: AgentStreams;
  readonly #directory: Directory;
  #timer: NodeJS.Timeout | undefined;
  readonly #meter = new CpuMeter();
  port = 0;

  constructor(options: CoordinatorOptions, log: Logger, door: CoordinatorDoor) {
    this.#log = log;
    this.#door = door;
    this.#options = options;
    const gone = (connection: number, speaker: Speaker | undefined) => {
      const seat = speaker && this.#seats.get(speaker.host.domain);
      if (seat) this.#meter.sampled(() => seat.left(connection));
    };
    this.#streams = new AgentStreams({ door, log, counters: this.counters, gone });
    const fellows = new Fellows(options.serverId);
    this.#rollCall = new RollCall(options.store, options.serverId, fellows);
    const holder = `${options.serverId}/${randomBytes(8).toString("hex")}`;
    for (const domain of options.domains)
      this.#seats.set(domain, this.#seat(domain, holder, fellows));
    const undecodable = () => this.counters.undecodable_messages++;
    const service = coordinatorService({ undecodable });
    this.#server.addService(service, { subscribe: (stream: AgentStream) => this.#take(stream) });
    this.#directory = new Directory(options.store.certificates, (hash, host) =>
      this.#ended(hash, host),
    );
    const desk = new EnrolmentDesk({ ...options, nowMs: () => Date.now() });
    const enrol = enrolmentHandler(desk, {
      known: (peer) => this.#door.prove(peer),
      answered: (peer, request, answer) => this.#tellEnrolment(peer, request, answer),
    });
    this.#server.addService(enrolmentService, { enrol });
  }

  /**
   * Starts a coordinator.
   *
   * @throws TtcsError COORDINATOR_SERVER when the address or port cannot be bound.
   */
  static async start(
    options: CoordinatorOptions,
    log: Logger,
    door: CoordinatorDoor,
  ): Promise<Coordinator> {
    failpoint("server.start");
    const coordinator = new Coordinator(options, log, door);
    await coordinator.#listen(options);
    return coordinator;
  }

  /** Processor time of the domains' cores since the start (s). */
  get solveS(): number {
    return this.#meter.totalS;
  }

  /** Streams of agents that have joined. */
  get agentCount(): number {
    return this.#streams.joinedCount;
  }

  get domainNames(): readonly string[] {
    return [...this.#seats.keys()];
  }

  /** Domains that this server leads, with the term. */
  get led(): Readonly<Record<string, string>> {
    const led = [...this.#seats].filter(([, seat]) => seat.term !== undefined);
    return Object.fromEntries(led.map(([domain, { term }]) => [domain, `${term}`]));
  }

  /** Hands all domains over, then closes. */
  async end(): Promise<void> {
    await Promise.all([...this.#seats.values()].map((seat) => seat.end()));
    await this.#rollCall.end();
    await sleep(FAREWELL_MS);
    this.close();
  }

  close(): void {
    failpoint("server.close");
    clearInterval(this.#timer);
    this.#rollCall.close();
    this.#directory.close();
    this.#door.close();
    this.#server.forceShutdown();
  }

  async #listen({ address, port, authority }: CoordinatorOptions): Promise<void> {
    const own = await authority.identifyServer();
    this.#door.present({ ...own, authority: authority.certificate });
    this.#directory.start();
    try {
      this.port = await this.#door.listen(address, port, this.#server);
    } catch (error) {
      const cause = error as Error;
      const detail = `${cause.message}; choose another --listen address or port`;
      const at = hostPort(address, port);
      throw new TtcsError("COORDINATOR_SERVER", { address: at, detail }, { cause });
    }
    failpoint("server.listen");
    this.#rollCall.start(this.#options.advertise(this.port));
    this.#timer = setInterval(() => {
      for (const [domain, seat] of this.#seats) this.#tick(domain, seat);
    }, TICK_MS);
  }

  #seat(domain: string, holder: string, fellows: Fellows): Seat {
    const { pairsPerSecond, meshSeed, firstTerm, serverId, store } = this.#options;
    const seat: Seat = new Seat(domain, {
      store,
      fellows,
      lease: { holder, firstTerm, isMyEarlierRun: (other) => other.startsWith(`${serverId}/`) },
      address: () => this.#options.advertise(this.port),
      now,
      newCore: (term, memory) => {
        const coordinatorAddresses = () => seat.addresses();
        const metered = <T>(work: () => T) => this.#meter.whole(work);
        const shared = { domain, term, pairsPerSecond, meshSeed, coordinatorAddresses, metered };
        const deriveProbeKey = deriver();
        return new DomainCore({ ...shared, deriveProbeKey, ...(memory ? { memory } : {}) });
      },
      perform: (actions) => this.#meter.whole(() => this.#run(actions)),
      redirect: (connection, to) => this.#redirect(domain, connection, to),
      log: (level, text) => this.#log[level](text),
    });
    return seat;
  }

  /** What goes wrong with one stream ends no other, and not the server. */
  #take(stream: AgentStream): void {
    this.#serve(stream).catch((error: Error) => {
      this.counters.faults++;
      this.#log.warn(`a stream could not be served: ${error.message}`);
      stream.end();
    });
  }

  async #serve(stream: AgentStream): Promise<void> {
    failpoint("server.stream");
    const peer = stream.getPeer();
    const connection = this.#streams.add(stream);
    const speaker = await this.#identify(connection, peer);
    if (!speaker || !this.#streams.identified(connection, speaker)) return;
    // What came before waits in the stream.
    stream.on("data", (message: AgentMessage) => this.#hear(connection, speaker, message));
  }

  /** Who is at the other end; undefined: nobody who may speak, and he has been told. */
  async #identify(connection: number, peer: string): Promise<Speaker | undefined> {
    const certificateHash = this.#door.certificateOf(peer) ?? "";
    // Another server may have given it just now.
    if (!this.#directory.find(certificateHash)) await this.#directory.refresh();
    const host = this.#directory.find(certificateHash);
    if (host && !host.ended) return { peer, certificateHash, host };
    const reason = host
      ? `the certificate of host "${host.hostId}" has ended`
      : "this certificate is in no directory here";
    this.#refuse(connection, peer, host?.domain ?? "", reason, host?.ended);
    return undefined;
  }

  /** A certificate has ended: whoever speaks with it is turned out. */
  #ended(certificateHash: string, host: HostIdentity): void {
    const reason = `the certificate of host "${host.hostId}" has ended`;
    const ended = this.#streams.speakers((s) => s.certificateHash === certificateHash);
    for (const [connection, { peer }] of ended) {
      this.counters.revoked_streams++;
      this.#refuse(connection, peer, host.domain, reason, true);
      this.#streams.drop(connection);
      setTimeout(() => this.#door.expel(peer), FAREWELL_MS);
    }
    this.#seats.get(host.domain)?.expel(Buffer.from(certificateHash, "hex"));
  }

  /** Junk may be well-formed: what the core cannot stand is counted, and does not end the server. */
  #hear(connection: number, speaker: Speaker, message: AgentMessage): void {
    const { peer } = speaker;
    if (!this.#door.maySpeak(peer)) {
      this.counters.ended_streams++;
      return;
    }
    const { domain } = speaker.host;
    const fault = faultOf(speaker, message, (name) => this.#seats.has(name));
    const seat = this.#seats.get(domain);
    if (fault !== undefined || !seat) {
      this.#refuse(connection, peer, domain, fault ?? "");
      return;
    }
    try {
      failpoint("server.message.before");
      this.#meter.sampled(() => seat.hear(connection, message));
      failpoint("server.message.after");
    } catch (error) {
      this.counters.faults++;
      this.#log.warn(`a message of ${peer} could not be dealt with: ${(error as Error).message}`);
      return;
    }
    const isGreeting = message.body.case === "hello";
    if (!isGreeting && !this.#streams.hasJoined(connection)) this.counters.unjoined_messages++;
  }

  /** A fault in one domain's round must not take the others along. */
  #tick(domain: string, seat: Seat): void {
    try {
      failpoint("server.tick.before");
      this.#meter.whole(() => seat.tick());
      failpoint("server.tick.after");
    } catch (error) {
      this.counters.faults++;
      this.#log.warn(`domain ${domain}: a round could not be solved: ${(error as Error).message}`);
    }
  }

  /** Sends one agent, or all of a domain, to another server, and ends their streams. */
  #redirect(domain: string, connection: number | undefined, to: Destination): void {
    const all = this.#streams.speakers(({ host }) => host.domain === domain);
    const value = { ...to, coordinatorAddresses: [...to.coordinatorAddresses] };
    for (const [c, { peer }] of all) {
      if (connection !== undefined && c !== connection) continue;
      if (!this.#streams.farewell(c, domain, { case: "redirect", value })) continue;
      // A fellow of the fleet, even if he is wrong here.
      this.#door.prove(peer);
      this.counters.redirected_agents++;
    }
  }

  #refuse(
    connection: number,
    peer: string,
    domain: string,
    reason: string,
    certificateEnded = false,
  ): void {
    this.counters.refused_messages++;
    const value = { reason, certificateEnded };
    const isHeard = this.#streams.farewell(connection, domain, { case: "refusal", value });
    if (isHeard) this.#log.warn(`refused ${peer}: ${reason}`);
  }

  #tellEnrolment(peer: string, { domain, hostId }: EnrolmentRequest, answer: DeskAnswer): void {
    if (answer.ok) {
      this.counters.enrolments++;
      this.#log.info(`domain ${domain}: ${hostId} has enrolled from ${peer}`);
      return;
    }
    this.counters.refused_enrolments++;
    this.#log.warn(`enrolment of ${peer} refused: ${answer.reason}`);
  }

  #run(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === "remember") continue;
      if (action.kind === "log") this.#log[action.level](action.text);
      else if (action.kind === "end") this.#streams.end(action.connection);
      else this.#streams.send(action.connection, action.message);
    }
  }
}

/** Derives keys from a secret that nobody else has; it ends with whoever holds this function. */
function deriver(): (label: Uint8Array) => Uint8Array {
  const secret = createSecretKey(randomBytes(SECRET_BYTES));
  return (label) => createHmac("sha512", secret).update(label).digest();
}

function now(): ServerTime {
  return { monotonicMs: performance.now(), unixNs: BigInt(Date.now()) * 1_000_000n };
}
