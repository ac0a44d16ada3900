/** The agent's stream to its coordinator: opened by the agent, opened again when it ends. */
import {
  type ClientDuplexStream,
  credentials,
  Metadata,
  makeGenericClientConstructor,
} from "@grpc/grpc-js";
import type { AgentMessage, CoordinatorMessage } from "@ttcs/protocol";
import { failpoint } from "@ttcs/units";
import { channelOptions, coordinatorService } from "./grpc.ts";

/** Reports that wait to be sent; those after them come too late to be of use. */
const BACKLOG_LIMIT = 8;

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
  readonly #newClient;
  #client;
  #stream: Stream | undefined;
  #retryMs = RETRY_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Messages that could not be read or dealt with, and reports that could not be sent. */
  readonly counters = { undecodable_messages: 0, faults: 0, reports_dropped: 0 };

  constructor(address: string, events: LinkEvents) {
    this.#address = address;
    this.#events = events;
    const undecodable = () => this.counters.undecodable_messages++;
    const service = coordinatorService({ undecodable });
    const Client = makeGenericClientConstructor(service, "CoordinatorService");
    this.#newClient = () => new Client(this.#address, credentials.createInsecure(), channelOptions);
    this.#client = this.#newClient();
  }

  /** Begins; from now on the link is kept open until `close`. */
  open(): void {
    this.#open();
  }

  /** Sends if there is a stream; a round that cannot be sent is of no use later. */
  send(message: AgentMessage): void {
    const stream = this.#stream;
    if (!stream) return;
    failpoint("agent.link.send");
    if (stream.writableLength < BACKLOG_LIMIT) stream.write(message);
    else this.counters.reports_dropped++;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stream?.cancel();
    this.#client.close();
  }

  #open(): void {
    failpoint("agent.link.open");
    // The call goes out with the connection: one that stands at the door without a word takes the
    // place of somebody who has something to say.
    const stream: Stream = this.#client.subscribe(new Metadata({ waitForReady: true }));
    this.#stream = stream;
    let ended = false;
    const end = (reason: string) => {
      if (ended || this.#closed) return;
      ended = true;
      clearTimeout(firstWord);
      if (this.#stream === stream) this.#stream = undefined;
      failpoint("agent.link.end");
      this.#events.onClose(reason);
      this.#timer = setTimeout(() => this.#open(), this.#retryMs * (0.75 + 0.5 * Math.random()));
      this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
    };
    const firstWord = setTimeout(() => {
      stream.cancel();
      // Where packets vanish, the kernel asks ever more rarely: begin with a connection of our own time.
      this.#client.close();
      this.#client = this.#newClient();
      end(`no answer within ${FIRST_WORD_MS / 1000} s`);
    }, FIRST_WORD_MS);
    stream.on("data", (message: CoordinatorMessage) => {
      clearTimeout(firstWord);
      // Only a welcome is success: a refused agent must not knock ten times a second.
      if (message.body.case === "welcome") this.#retryMs = RETRY_MS_MIN;
      try {
        failpoint("agent.link.message.before");
        this.#events.onMessage(message);
        failpoint("agent.link.message.after");
      } catch {
        this.counters.faults++;
      }
    });
    stream.on("error", (error: Error) => end(error.message));
    stream.on("end", () => end("the coordinator ended the stream"));
    failpoint("agent.link.hello");
    this.#events.onOpen();
  }
}
