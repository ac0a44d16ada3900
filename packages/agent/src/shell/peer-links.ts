/**
 * The exchange with neighbours on TCP 6171. The end that does not own an edge dials; both directions
 * of the exchange travel on that one stream.
 */
import {
  type ClientDuplexStream,
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";
import { type ExchangeFlush, hostPort, type Neighbour } from "@ttcs/protocol";
import { TtcsError } from "@ttcs/units";
import { channelOptions, peerService } from "./grpc.ts";

/** Dial a lost neighbour again after this long (ms). */
const REDIAL_MS = 500;

type Writable = Pick<ClientDuplexStream<ExchangeFlush, ExchangeFlush>, "write">;

/** One dialled neighbour. */
class Dial {
  readonly address: string;
  readonly #client;
  readonly #onFlush: (flush: ExchangeFlush) => void;
  #stream: ClientDuplexStream<ExchangeFlush, ExchangeFlush> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(address: string, onFlush: (flush: ExchangeFlush) => void) {
    this.address = address;
    this.#onFlush = onFlush;
    const Client = makeGenericClientConstructor(peerService, "PeerService");
    const options = { ...channelOptions, "grpc.max_reconnect_backoff_ms": 1_000 };
    this.#client = new Client(address, credentials.createInsecure(), options);
    this.#open();
  }

  get stream(): Writable | undefined {
    return this.#stream;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stream?.cancel();
    this.#client.close();
  }

  #open(): void {
    const stream: ClientDuplexStream<ExchangeFlush, ExchangeFlush> = this.#client.exchange();
    this.#stream = stream;
    const lost = () => {
      if (this.#stream !== stream || this.#closed) return;
      this.#stream = undefined;
      this.#timer = setTimeout(() => this.#open(), REDIAL_MS);
    };
    stream.on("data", this.#onFlush);
    stream.on("error", lost);
    stream.on("end", lost);
  }
}

/** See the module head. */
export class PeerLinks {
  readonly #onFlush: (flush: ExchangeFlush) => void;
  readonly #server = new Server(channelOptions);
  readonly #dials = new Map<number, Dial>();
  readonly #callers = new Map<number, Writable>();
  /** Numbers of the present neighbours: nobody else is answered. */
  #wanted: ReadonlySet<number> = new Set();
  port = 0;

  constructor(onFlush: (flush: ExchangeFlush) => void) {
    this.#onFlush = onFlush;
    this.#server.addService(peerService, {
      exchange: (call: ServerDuplexStream<ExchangeFlush, ExchangeFlush>) => this.#serve(call),
    });
  }

  /**
   * Binds the server.
   *
   * @throws TtcsError AGENT_SERVER when the address or port cannot be bound.
   */
  async listen(address: string, port: number): Promise<void> {
    const at = hostPort(address, port);
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(at, ServerCredentials.createInsecure(), (cause, bound) => {
        if (!cause) return resolve(bound);
        const detail = `cannot bind ${at} (${cause.message}); management_address must be an address of this host`;
        reject(new TtcsError("AGENT_SERVER", { detail }, { cause }));
      });
    });
  }

  /** Dials the owners among the neighbours, and drops everybody who is none any more. */
  setNeighbours(neighbours: readonly Neighbour[]): void {
    const wanted = new Map(neighbours.map((n) => [n.hostNumber, n]));
    this.#wanted = new Set(wanted.keys());
    for (const [number, dial] of this.#dials) {
      const n = wanted.get(number);
      if (n && !n.owner && hostPort(n.managementAddress, n.agentPort) === dial.address) continue;
      dial.close();
      this.#dials.delete(number);
    }
    for (const number of this.#callers.keys()) {
      if (!wanted.has(number)) this.#callers.delete(number);
    }
    for (const n of neighbours) {
      if (n.owner || this.#dials.has(n.hostNumber)) continue;
      const address = hostPort(n.managementAddress, n.agentPort);
      this.#dials.set(n.hostNumber, new Dial(address, this.#onFlush));
    }
  }

  /** Sends a flush if the neighbour is connected; a flush that comes later is of no use. */
  send(hostNumber: number, flush: ExchangeFlush): void {
    const stream = this.#dials.get(hostNumber)?.stream ?? this.#callers.get(hostNumber);
    stream?.write(flush);
  }

  close(): void {
    for (const dial of this.#dials.values()) dial.close();
    this.#server.forceShutdown();
  }

  #serve(call: ServerDuplexStream<ExchangeFlush, ExchangeFlush>): void {
    let caller = 0;
    const gone = () => {
      if (this.#callers.get(caller) === call) this.#callers.delete(caller);
    };
    call.on("data", (flush: ExchangeFlush) => {
      // A new coordinator may have given the caller a new number.
      if (flush.fromHost !== caller) {
        gone();
        caller = flush.fromHost;
        if (this.#wanted.has(caller)) this.#callers.set(caller, call);
      } else if (!this.#callers.has(caller) && this.#wanted.has(caller)) {
        this.#callers.set(caller, call);
      }
      this.#onFlush(flush);
    });
    call.on("error", gone);
    call.on("end", () => {
      gone();
      call.end();
    });
    call.on("cancelled", gone);
  }
}
