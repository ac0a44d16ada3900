/**
 * The coordinator's process: TCP 6176 and a clock around the domains' cores.
 *
 * One server runs many domains and never mixes them: a stream belongs to the domain that its first
 * message names, and to no other.
 */
import { create } from "@bufbuild/protobuf";
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  setLogVerbosity,
} from "@grpc/grpc-js";
import {
  type AgentMessage,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  CoordinatorService,
  grpcServiceDefinition,
  hostPort,
} from "@ttcs/protocol";
import { TtcsError } from "@ttcs/units";
import type { Logger } from "pino";
import { type Action, DomainCore, type ServerTime } from "../core/domain.ts";

/** Beat of deadlines (ms). */
const TICK_MS = 20;
/** A stream that cannot take more than this many messages is a stalled agent. */
const BACKLOG_LIMIT = 64;

/** How a coordinator is set up. */
export interface CoordinatorOptions {
  readonly address: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  readonly pairsPerSecond: number;
  readonly meshSeed: number;
  /** Names of the domains that this server runs. */
  readonly domains: readonly string[];
}

type Stream = ServerDuplexStream<AgentMessage, CoordinatorMessage>;

// What fails is told once, in our own words; the library's lines on standard error would repeat it.
setLogVerbosity(logVerbosity.NONE);

const toBuffer = (b: Uint8Array): Buffer => Buffer.from(b.buffer, b.byteOffset, b.byteLength);
const service = grpcServiceDefinition(CoordinatorService, toBuffer);

/** A running coordinator. */
export class Coordinator {
  readonly #log: Logger;
  readonly #server = new Server({
    "grpc.max_receive_message_length": 1 << 20,
    "grpc.keepalive_time_ms": 5_000,
    "grpc.keepalive_timeout_ms": 3_000,
  });
  readonly #domains = new Map<string, DomainCore>();
  readonly #streams = new Map<number, Stream>();
  #nextConnection = 1;
  #timer: NodeJS.Timeout | undefined;
  port = 0;

  constructor(options: CoordinatorOptions, log: Logger) {
    this.#log = log;
    // A later start outranks an earlier one; agents refuse what is older than they have seen.
    const term = BigInt(Math.floor(Date.now() / 1000));
    for (const domain of options.domains) {
      const { pairsPerSecond, meshSeed } = options;
      this.#domains.set(domain, new DomainCore({ domain, term, pairsPerSecond, meshSeed }));
    }
    this.#server.addService(service, { subscribe: (stream: Stream) => this.#serve(stream) });
  }

  /**
   * Starts a coordinator.
   *
   * @throws TtcsError COORDINATOR_SERVER when the address or port cannot be bound.
   */
  static async start(options: CoordinatorOptions, log: Logger): Promise<Coordinator> {
    const coordinator = new Coordinator(options, log);
    await coordinator.#listen(options);
    return coordinator;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server.forceShutdown();
  }

  async #listen({ address, port }: CoordinatorOptions): Promise<void> {
    const at = hostPort(address, port);
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(at, ServerCredentials.createInsecure(), (cause, bound) => {
        if (!cause) return resolve(bound);
        const detail = `${cause.message}; choose another --listen address or port`;
        reject(new TtcsError("COORDINATOR_SERVER", { address: at, detail }, { cause }));
      });
    });
    this.#timer = setInterval(() => {
      for (const domain of this.#domains.values()) this.#run(domain.handleTick(now()));
    }, TICK_MS);
  }

  #serve(stream: Stream): void {
    const connection = this.#nextConnection++;
    let domain: DomainCore | undefined;
    this.#streams.set(connection, stream);
    stream.on("data", (message: AgentMessage) => {
      domain ??= this.#domains.get(message.header?.domain ?? "");
      if (!domain) return this.#refuse(stream, message.header?.domain ?? "");
      this.#run(domain.handleMessage(connection, message, now()));
    });
    const gone = () => {
      if (!this.#streams.delete(connection)) return;
      if (domain) this.#run(domain.handleClose(connection, now()));
    };
    stream.on("error", gone);
    stream.on("cancelled", gone);
    stream.on("close", gone);
    stream.on("end", () => {
      gone();
      stream.end();
    });
  }

  #refuse(stream: Stream, name: string): void {
    const reason = `this server runs no domain "${name}"; download the agent's config file anew`;
    this.#log.warn(`refused ${stream.getPeer()}: ${reason}`);
    const body = { case: "refusal" as const, value: { reason } };
    stream.write(create(CoordinatorMessageSchema, { header: { domain: name }, body }));
    stream.end();
  }

  #run(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === "log") this.#log[action.level](action.text);
      else if (action.kind === "end") this.#streams.get(action.connection)?.end();
      else this.#send(action.connection, action.message);
    }
  }

  #send(connection: number, message: CoordinatorMessage): void {
    const stream = this.#streams.get(connection);
    if (!stream) return;
    if (stream.writableLength > BACKLOG_LIMIT) {
      this.#log.warn(`a stalled stream is ended: ${stream.getPeer()}`);
      stream.destroy();
      return;
    }
    stream.write(message);
  }
}

function now(): ServerTime {
  return { monotonicMs: performance.now(), unixNs: BigInt(Date.now()) * 1_000_000n };
}
