/** The agent's stream to its coordinator: opened by the agent, opened again when it ends. */
import { type ClientDuplexStream, credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import type { AgentMessage, CoordinatorMessage } from "@ttcs/protocol";
import { channelOptions, coordinatorService } from "./grpc.ts";

/** Reconnect after this long (ms), doubled with every failure up to the largest. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;
/** A stream that has not said anything yet after this long is tried anew (ms). */
const FIRST_WORD_MS = 5_000;

/** What the link tells. */
export interface LinkEvents {
  onOpen(): void;
  onMessage(message: CoordinatorMessage): void;
  onClose(reason: string): void;
}

type Stream = ClientDuplexStream<AgentMessage, CoordinatorMessage>;

/** See the module head. */
export class CoordinatorLink {
  readonly #address: string;
  readonly #events: LinkEvents;
  readonly #client;
  #stream: Stream | undefined;
  #retryMs = RETRY_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(address: string, events: LinkEvents) {
    this.#address = address;
    this.#events = events;
    const Client = makeGenericClientConstructor(coordinatorService, "CoordinatorService");
    const options = { ...channelOptions, "grpc.max_reconnect_backoff_ms": 1_000 };
    this.#client = new Client(this.#address, credentials.createInsecure(), options);
  }

  /** Begins; from now on the link is kept open until `close`. */
  open(): void {
    this.#open();
  }

  /** Sends if there is a stream; a round that cannot be sent is of no use later. */
  send(message: AgentMessage): void {
    this.#stream?.write(message);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stream?.cancel();
    this.#client.close();
  }

  #open(): void {
    const stream: Stream = this.#client.subscribe();
    this.#stream = stream;
    let ended = false;
    const end = (reason: string) => {
      if (ended || this.#closed) return;
      ended = true;
      clearTimeout(firstWord);
      if (this.#stream === stream) this.#stream = undefined;
      this.#events.onClose(reason);
      this.#timer = setTimeout(() => this.#open(), this.#retryMs * (0.75 + 0.5 * Math.random()));
      this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
    };
    const firstWord = setTimeout(() => {
      stream.cancel();
      end(`no answer within ${FIRST_WORD_MS / 1000} s`);
    }, FIRST_WORD_MS);
    stream.on("data", (message: CoordinatorMessage) => {
      clearTimeout(firstWord);
      // Only a welcome is success: a refused agent must not knock ten times a second.
      if (message.body.case === "welcome") this.#retryMs = RETRY_MS_MIN;
      this.#events.onMessage(message);
    });
    stream.on("error", (error: Error) => end(error.message));
    stream.on("end", () => end("the coordinator ended the stream"));
    this.#events.onOpen();
  }
}
