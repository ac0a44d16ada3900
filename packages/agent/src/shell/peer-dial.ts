/**
 * One neighbour that this host dials, and keeps dialled: a stream that ends, or falls silent, is replaced.
 *
 * A neighbour speaks twice a second. A stream without a word for a few seconds may be one whose packets
 * the kernel repeats ever more seldom, as after a cut; its connection is dropped and another dialled,
 * whose first packet goes out at once. One that takes the connection and does not speak, as a process
 * that is paused, is given more and more time, so that dead connections do not pile up at its door.
 */
import type {
  ChannelCredentials,
  ClientDuplexStream,
  Metadata,
  ServiceClientConstructor,
} from "@grpc/grpc-js";
import { type ExchangeFlush, HOST_NAME } from "@ttcs/protocol";
import { failpoint } from "@ttcs/units";
import { channelOptions } from "./grpc.ts";

/** A lost neighbour is dialled again after about this long (ms), more or less by a half: by chance. */
const REDIAL_MS = 500;
/** Silence is counted in looks, not in time: after a pause of this process its mail comes first (ms). */
const LOOK_MS = 250;
/** A stream is given up after so many looks without a word, twice as many after each in vain. */
const SILENT_LOOKS = 10;
const SILENT_LOOKS_MAX = 40;

/** A channel is for one connection: what comes after its failure is ours to say, not the library's (ms). */
const NEVER_MS = 3_600_000;
const dialOptions = {
  ...channelOptions,
  // Who is meant is told by the certificate's hash; names of hosts are nobody's business on the wire.
  "grpc.ssl_target_name_override": HOST_NAME,
  "grpc.initial_reconnect_backoff_ms": NEVER_MS,
  "grpc.max_reconnect_backoff_ms": NEVER_MS,
};

/** A stream of flushes in both directions. */
export type DialStream = ClientDuplexStream<ExchangeFlush, ExchangeFlush>;

/** What the generated client is here. */
interface PeerClient {
  exchange(metadata?: Metadata): DialStream;
  close(): void;
}

/** See the module head. */
export class Dial {
  readonly address: string;
  readonly #credentials: ChannelCredentials;
  readonly #Client: ServiceClientConstructor;
  readonly #onFlush: (flush: ExchangeFlush) => void;
  #stream: DialStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hangUp: (() => void) | undefined;
  #closed = false;
  #patienceLooks = SILENT_LOOKS;

  constructor(
    Client: ServiceClientConstructor,
    address: string,
    credentials: ChannelCredentials,
    onFlush: (flush: ExchangeFlush) => void,
  ) {
    this.#Client = Client;
    this.address = address;
    this.#credentials = credentials;
    this.#onFlush = onFlush;
    this.#open();
  }

  /** Undefined while there is none. */
  get stream(): DialStream | undefined {
    return this.#stream;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#hangUp?.();
  }

  #open(): void {
    failpoint("agent.peer.dial");
    // A channel of its own for each stream: an old one would hold on to a connection that is dead.
    const client = new this.#Client(
      this.address,
      this.#credentials,
      dialOptions,
    ) as unknown as PeerClient;
    const stream = client.exchange();
    this.#stream = stream;
    let looks = 0;
    const watch = setInterval(() => {
      if (++looks < this.#patienceLooks) return;
      this.#patienceLooks = Math.min(SILENT_LOOKS_MAX, 2 * this.#patienceLooks);
      lost();
    }, LOOK_MS);
    const hangUp = () => {
      clearInterval(watch);
      this.#stream = undefined;
      this.#hangUp = undefined;
      stream.cancel();
      client.close();
    };
    const lost = () => {
      if (this.#stream !== stream || this.#closed) return;
      hangUp();
      this.#timer = setTimeout(() => this.#open(), REDIAL_MS * (0.5 + Math.random()));
    };
    this.#hangUp = hangUp;
    stream.on("data", (flush: ExchangeFlush) => {
      if (this.#stream !== stream) return;
      looks = 0;
      this.#patienceLooks = SILENT_LOOKS;
      this.#onFlush(flush);
    });
    stream.on("error", lost);
    stream.on("end", lost);
  }
}
