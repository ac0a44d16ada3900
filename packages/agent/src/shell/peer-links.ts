/**
 * The exchange with neighbours on TCP 6171. The end that does not own an edge dials (`peer-dial.ts`);
 * both directions of the exchange travel on that one stream.
 *
 * Nobody but a neighbour is heard, and it is known by its certificate, whose hash the coordinator has
 * named. Who calls in the name of a neighbour whose stream is alive is a rival and not heard either; one
 * that has fallen silent is replaced.
 */
import { createHash } from "node:crypto";
import {
  makeGenericClientConstructor,
  Server,
  type ServerDuplexStream,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { type ExchangeFlush, hostPort, type Neighbour } from "@ttcs/protocol";
import { failpoint, TtcsError } from "@ttcs/units";
import { type Meter, noMeter } from "../core/meter.ts";
import type { Door } from "./door.ts";
import { channelCredentials, exchangeWatch, peerService, serverOptions } from "./grpc.ts";
import { Dial, type DialStream } from "./peer-dial.ts";
import type { TlsIdentity } from "./tls-entry.ts";

/** A neighbour speaks twice a second; after this long without a word another may take its place (ms). */
const SILENT_MS = 2_000;
/** Flushes that wait to be sent to one neighbour; those after them come too late to be of use. */
const BACKLOG_LIMIT = 8;

type Flush = ExchangeFlush;
type CallerStream = ServerDuplexStream<Flush, Flush>;
type Writable = Pick<DialStream, "write" | "writableLength">;

/** A neighbour that this host dials. */
interface Dialled {
  readonly dial: Dial;
  readonly certificateHash: string;
}

/** A neighbour that has dialled. */
interface Caller {
  readonly call: CallerStream;
  heardMs: number;
}

/** What was dropped, by kind, since the start. */
export interface PeerCounters {
  /** Bytes that are no message. */
  undecodable_messages: number;
  /** Messages in the name of no neighbour, or of one that does not dial this host or is somebody else. */
  unknown_hosts: number;
  /** Messages in the name of a neighbour that speaks on another connection. */
  rivals: number;
  /** Flushes not sent because the neighbour does not read. */
  flushes_dropped: number;
  /** Messages that could not be dealt with. */
  faults: number;
}

/** See the module head. */
export class PeerLinks {
  readonly counters: PeerCounters = {
    undecodable_messages: 0,
    unknown_hosts: 0,
    rivals: 0,
    flushes_dropped: 0,
    faults: 0,
  };
  readonly #onFlush: (flush: Flush) => void;
  readonly #door: Door;
  readonly #server = new Server(serverOptions);
  readonly #Client: ServiceClientConstructor;
  readonly #dials = new Map<number, Dialled>();
  readonly #callers = new Map<number, Caller>();
  /** The neighbours that dial this host, each with its certificate's hash: nobody else is answered. */
  #expected: ReadonlyMap<number, string> = new Map();
  #neighbours: readonly Neighbour[] = [];
  #identity: TlsIdentity | undefined;
  port = 0;

  constructor(onFlush: (flush: Flush) => void, door: Door, meter: Meter = noMeter) {
    this.#onFlush = onFlush;
    this.#door = door;
    const service = peerService(exchangeWatch(meter, () => this.counters.undecodable_messages++));
    this.#Client = makeGenericClientConstructor(service, "PeerService");
    this.#server.addService(service, { exchange: (call: CallerStream) => this.#serve(call) });
  }

  /**
   * Binds the server.
   *
   * @throws TtcsError AGENT_SERVER when the address or port cannot be bound.
   */
  async listen(address: string, port: number): Promise<void> {
    try {
      this.port = await this.#door.listen(address, port, this.#server);
    } catch (error) {
      const cause = error as Error;
      const detail = `cannot bind ${hostPort(address, port)} (${cause.message}); management_address must be an address of this host`;
      throw new TtcsError("AGENT_SERVER", { detail }, { cause });
    }
  }

  /** From now on neighbours are let in and dialled. */
  present(identity: TlsIdentity): void {
    this.#identity = identity;
    this.#door.present(identity);
    this.setNeighbours(this.#neighbours);
  }

  /** Dials the owners among the neighbours, and drops everybody who is none any more. */
  setNeighbours(neighbours: readonly Neighbour[]): void {
    this.#neighbours = neighbours;
    const wanted = new Map(neighbours.map((n) => [n.hostNumber, n]));
    const callers = neighbours.filter((n) => n.owner);
    this.#expected = new Map(callers.map((n) => [n.hostNumber, hashOfCertificate(n)]));
    for (const [number, { dial, certificateHash }] of this.#dials) {
      const n = wanted.get(number);
      const isSame = n && !n.owner && hashOfCertificate(n) === certificateHash;
      if (isSame && hostPort(n.managementAddress, n.agentPort) === dial.address) continue;
      dial.close();
      this.#dials.delete(number);
    }
    for (const number of this.#callers.keys()) {
      if (!this.#expected.has(number)) this.#callers.delete(number);
    }
    for (const n of neighbours) if (!n.owner && !this.#dials.has(n.hostNumber)) this.#dial(n);
  }

  #dial(neighbour: Neighbour): void {
    const identity = this.#identity;
    if (!identity) return;
    const { hostNumber } = neighbour;
    const certificateHash = hashOfCertificate(neighbour);
    const credentials = channelCredentials(
      identity,
      (certificate) => createHash("sha256").update(certificate).digest("hex") === certificateHash,
    );
    const address = hostPort(neighbour.managementAddress, neighbour.agentPort);
    const hear = (flush: Flush) => {
      // A neighbour speaks for itself only.
      if (flush.fromHost === hostNumber) this.#hear(flush);
      else this.counters.unknown_hosts++;
    };
    const dial = new Dial(this.#Client, address, credentials, hear);
    this.#dials.set(hostNumber, { dial, certificateHash });
  }

  /** Sends a flush if the neighbour is connected; a flush that comes later is of no use. */
  send(hostNumber: number, flush: Flush): void {
    const stream: Writable | undefined =
      this.#dials.get(hostNumber)?.dial.stream ?? this.#callers.get(hostNumber)?.call;
    if (!stream) return;
    failpoint("agent.peer.send");
    if (stream.writableLength < BACKLOG_LIMIT) stream.write(flush);
    else this.counters.flushes_dropped++;
  }

  close(): void {
    for (const { dial } of this.#dials.values()) dial.close();
    this.#door.close();
    this.#server.forceShutdown();
  }

  #serve(call: CallerStream): void {
    const peer = call.getPeer();
    let caller = 0;
    const gone = () => {
      if (this.#callers.get(caller)?.call === call) this.#callers.delete(caller);
    };
    call.on("data", (flush: Flush) => {
      if (!this.#door.maySpeak(peer)) return;
      // A new coordinator may have given the caller a new number.
      if (flush.fromHost !== caller) gone();
      caller = flush.fromHost;
      if (this.#admit(call, peer, flush.fromHost)) {
        this.#door.prove(peer);
        this.#hear(flush);
      }
    });
    call.on("error", gone);
    call.on("end", () => {
      gone();
      call.end();
    });
    call.on("cancelled", gone);
  }

  /** Whether what comes on `call` in the name of host `number` is heard. */
  #admit(call: CallerStream, peer: string, number: number): boolean {
    const shown = this.#door.certificateOf(peer);
    if (shown === undefined || this.#expected.get(number) !== shown) {
      this.counters.unknown_hosts++;
      return false;
    }
    const nowMs = performance.now();
    const present = this.#callers.get(number);
    if (present && present.call !== call && nowMs - present.heardMs < SILENT_MS) {
      this.counters.rivals++;
      return false;
    }
    if (present?.call === call) present.heardMs = nowMs;
    else this.#callers.set(number, { call, heardMs: nowMs });
    return true;
  }

  /** Junk may be well-formed: what the core cannot stand is counted, and does not end the process. */
  #hear(flush: Flush): void {
    try {
      failpoint("agent.peer.hear");
      this.#onFlush(flush);
    } catch {
      this.counters.faults++;
    }
  }
}

const hashOfCertificate = ({ certificateSha256 }: Neighbour): string =>
  Buffer.from(certificateSha256).toString("hex");
