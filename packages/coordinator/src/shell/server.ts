/**
 * The coordinator's process: TCP 6176 and a clock around the domains' cores.
 *
 * One server runs many domains and never mixes them: a stream speaks for the host and in the domain that
 * its certificate was given for (`identity/directory.ts`), and for no other. Which domains it leads is
 * for their seats (`seat.ts`) to know; agents of the others are sent on.
 */
import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { create } from "@bufbuild/protobuf";
import { logVerbosity, Server, type ServerDuplexStream, setLogVerbosity } from "@grpc/grpc-js";
import {
  type AgentMessage,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  type EnrolmentRequest,
  hostPort,
} from "@ttcs/protocol";
import { failpoint, TtcsError } from "@ttcs/units";
import type { Logger } from "pino";
import { DomainCore } from "../core/domain.ts";
import type { ServerTime } from "../core/domain-options.ts";
import { Fellows } from "../core/fellows.ts";
import type { Action } from "../core/outbox.ts";
import { CpuMeter } from "./cpu-meter.ts";
import { enrolmentHandler, enrolmentService } from "./enrolment-service.ts";
import { type DeskAnswer, EnrolmentDesk } from "./identity/desk.ts";
import { Directory, type HostIdentity } from "./identity/directory.ts";
import type { CoordinatorCounters, CoordinatorDoor, CoordinatorOptions } from "./options.ts";
import { Outflow } from "./outflow.ts";
import { implausible } from "./plausible.ts";
import { RollCall } from "./roll-call.ts";
import { type Destination, Seat } from "./seat.ts";
import { coordinatorService } from "./service.ts";

/** Beat of deadlines (ms). */
const TICK_MS = 20;
/** A stream that is gone was stalled when a message had waited for so long (ms). */
const STALLED_TOLD_MS = 2_000;
/** A secret from which keys for probes are derived. */
const SECRET_BYTES = 32;
/** What strangers call a domain is repeated to this length (characters). */
const NAME_SHOWN = 64;

type Stream = ServerDuplexStream<AgentMessage, CoordinatorMessage>;

/** Who is at the other end of a stream. */
interface Speaker {
  readonly peer: string;
  readonly certificateHash: string;
  readonly host: HostIdentity;
}

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
  readonly #streams = new Map<number, Stream>();
  readonly #outflows = new Map<number, Outflow>();
  readonly #joined = new Set<number>();
  readonly #speakers = new Map<number, Speaker>();
  readonly #directory: Directory;
  #nextConnection = 1;
  #timer: NodeJS.Timeout | undefined;
  readonly #meter = new CpuMeter();
  port = 0;

  constructor(options: CoordinatorOptions, log: Logger, door: CoordinatorDoor) {
    this.#log = log;
    this.#door = door;
    this.#options = options;
    const fellows = new Fellows(options.serverId);
    this.#rollCall = new RollCall(options.store, options.serverId, fellows);
    const holder = `${options.serverId}/${randomBytes(8).toString("hex")}`;
    for (const domain of options.domains)
      this.#seats.set(domain, this.#seat(domain, holder, fellows));
    const undecodable = () => this.counters.undecodable_messages++;
    const service = coordinatorService({ undecodable });
    this.#server.addService(service, { subscribe: (stream: Stream) => this.#take(stream) });
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
    return this.#joined.size;
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
  #take(stream: Stream): void {
    this.#serve(stream).catch((error: Error) => {
      this.counters.faults++;
      this.#log.warn(`a stream could not be served: ${error.message}`);
      stream.end();
    });
  }

  async #serve(stream: Stream): Promise<void> {
    failpoint("server.stream");
    const peer = stream.getPeer();
    const connection = this.#nextConnection++;
    this.#streams.set(connection, stream);
    const outflow = new Outflow((message, left) => {
      // What waited behind a farewell is not sent any more.
      if (!stream.writableEnded) stream.write(message, left);
    });
    this.#outflows.set(connection, outflow);
    const gone = () => this.#gone(connection);
    stream.on("error", gone);
    stream.on("cancelled", gone);
    stream.on("close", gone);
    stream.on("end", () => {
      gone();
      stream.end();
    });
    const speaker = await this.#identify(stream, peer);
    if (!speaker || !this.#streams.has(connection)) return;
    this.#speakers.set(connection, speaker);
    // What came before waits in the stream.
    stream.on("data", (message: AgentMessage) => this.#hear(connection, speaker, message));
  }

  #gone(connection: number): void {
    if (!this.#streams.delete(connection)) return;
    failpoint("server.gone");
    const speaker = this.#speakers.get(connection);
    this.#joined.delete(connection);
    const outflow = this.#outflows.get(connection);
    this.#outflows.delete(connection);
    if (speaker && outflow) this.#tellStalled(speaker.peer, outflow);
    this.#speakers.delete(connection);
    const seat = speaker && this.#seats.get(speaker.host.domain);
    if (seat) this.#meter.sampled(() => seat.left(connection));
  }

  /** Who is at the other end; undefined: nobody who may speak, and he has been told. */
  async #identify(stream: Stream, peer: string): Promise<Speaker | undefined> {
    const certificateHash = this.#door.certificateOf(peer) ?? "";
    // Another server may have given it just now.
    if (!this.#directory.find(certificateHash)) await this.#directory.refresh();
    const host = this.#directory.find(certificateHash);
    if (host && !host.ended) return { peer, certificateHash, host };
    const reason = host
      ? `the certificate of host "${host.hostId}" has ended`
      : "this certificate is in no directory here";
    this.#refuseWith(stream, host?.domain ?? "", reason, host?.ended);
    return undefined;
  }

  /** A certificate has ended: whoever speaks with it is turned out. */
  #ended(certificateHash: string, host: HostIdentity): void {
    for (const [connection, speaker] of this.#speakers) {
      if (speaker.certificateHash !== certificateHash) continue;
      this.counters.revoked_streams++;
      const reason = `the certificate of host "${host.hostId}" has ended`;
      this.#refuseWith(this.#streams.get(connection), host.domain, reason, true);
      this.#gone(connection);
      setTimeout(() => this.#door.expel(speaker.peer), FAREWELL_MS);
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
    const fault = this.#fault(speaker, message);
    const seat = this.#seats.get(speaker.host.domain);
    if (fault !== undefined || !seat) {
      this.#refuseWith(this.#streams.get(connection), speaker.host.domain, fault ?? "");
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
    if (!isGreeting && !this.#joined.has(connection)) this.counters.unjoined_messages++;
  }

  /** Why a message cannot be that of its speaker, or cannot be true; undefined: it may be. */
  #fault({ host, certificateHash }: Speaker, { header, body }: AgentMessage): string | undefined {
    const domain = header?.domain ?? "";
    if (!this.#seats.has(host.domain)) {
      const shown = host.domain.slice(0, NAME_SHOWN);
      return `this server runs no domain "${shown}"; download the agent's config file anew`;
    }
    if (domain !== host.domain) {
      return `this host was enrolled in domain "${host.domain}", not in "${domain.slice(0, NAME_SHOWN)}"`;
    }
    if (body.case !== "hello") return undefined;
    const { hostId } = body.value;
    if (hostId !== host.hostId) {
      return `this certificate is that of host "${host.hostId}", not of "${hostId.slice(0, NAME_SHOWN)}"`;
    }
    body.value.certificateSha256 = Buffer.from(certificateHash, "hex");
    return implausible(body.value);
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
    const all = [...this.#speakers].filter(([, s]) => s.host.domain === domain).map(([c]) => c);
    for (const c of connection === undefined ? all : [connection]) {
      const stream = this.#streams.get(c);
      if (!stream || stream.writableEnded) continue;
      // A fellow of the fleet, even if he is wrong here.
      this.#door.prove(stream.getPeer());
      this.counters.redirected_agents++;
      const value = { ...to, coordinatorAddresses: [...to.coordinatorAddresses] };
      const body = { case: "redirect" as const, value };
      stream.write(create(CoordinatorMessageSchema, { header: { domain }, body }));
      stream.end();
    }
  }

  #refuseWith(
    stream: Stream | undefined,
    domain: string,
    reason: string,
    certificateEnded = false,
  ): void {
    this.counters.refused_messages++;
    if (!stream || stream.writableEnded) return;
    this.#log.warn(`refused ${stream.getPeer()}: ${reason}`);
    const body = { case: "refusal" as const, value: { reason, certificateEnded } };
    stream.write(create(CoordinatorMessageSchema, { header: { domain }, body }));
    stream.end();
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
      else if (action.kind === "end") this.#end(action.connection);
      else this.#send(action.connection, action.message);
    }
  }

  #end(connection: number): void {
    const stream = this.#streams.get(connection);
    this.#outflows.get(connection)?.end(() => stream?.end());
  }

  #send(connection: number, message: CoordinatorMessage): void {
    const outflow = this.#outflows.get(connection);
    if (message.body.case === "welcome" && outflow) {
      this.#joined.add(connection);
      this.#door.prove(this.#streams.get(connection)!.getPeer());
    }
    failpoint("server.send.before");
    outflow?.send(message);
    failpoint("server.send.after");
    if (!outflow?.isStalled) return;
    const stream = this.#streams.get(connection)!;
    const peer = stream.getPeer();
    stream.destroy();
    this.#gone(connection);
    this.#door.expel(peer);
  }

  /** Says why a stream is gone, if it was for what its reader did not take: we ended it, or its pings did. */
  #tellStalled(peer: string, { waitedMs, replacedCount }: Outflow): void {
    if (waitedMs < STALLED_TOLD_MS) return;
    this.counters.ended_streams++;
    const took = `took nothing for ${(waitedMs / 1e3).toFixed(1)} s`;
    this.#log.warn(
      `a stalled stream is ended: ${peer} ${took}; ${replacedCount} corrections dropped`,
    );
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
