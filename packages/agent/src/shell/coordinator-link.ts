/**
 * The agent's stream to its coordinator: opened by the agent, opened again when it ends or falls
 * silent, at the address that the plan names (`core/dial-plan.ts`).
 */
import {
  type ChannelCredentials,
  type ClientDuplexStream,
  Metadata,
  makeGenericClientConstructor,
} from "@grpc/grpc-js";
import { type AgentMessage, COORDINATOR_NAME, type CoordinatorMessage } from "@ttcs/protocol";
import { failpoint } from "@ttcs/units";
import { DialPlan } from "../core/dial-plan.ts";
import { channelCredentials, channelOptions, coordinatorService } from "./grpc.ts";
import type { TlsIdentity } from "./tls-entry.ts";

/** Reports that wait to be sent; those after them come too late to be of use. */
const BACKLOG_LIMIT = 8;
/**
 * A coordinator says something every second. A stream without a word on so many looks, this far apart
 * (ms), is dead. Looks are counted, not time: after a pause of this process its mail comes first.
 */
const LOOK_MS = 250;
const SILENT_LOOKS = 10;

/** Whoever answers must have a server's certificate. */
const linkOptions = { ...channelOptions, "grpc.ssl_target_name_override": COORDINATOR_NAME };

/** What the link tells. */
export interface LinkEvents {
  onOpen(): void;
  onMessage(message: CoordinatorMessage): void;
  onClose(reason: string): void;
}

type Stream = ClientDuplexStream<AgentMessage, CoordinatorMessage>;

/** See the module head. */
export class CoordinatorLink {
  readonly #plan: DialPlan;
  readonly #events: LinkEvents;
  readonly #Client;
  readonly #credentials: ChannelCredentials;
  #stream: Stream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #close: (() => void) | undefined;
  #isClosed = false;

  /** Messages that could not be read or dealt with, and reports that could not be sent. */
  readonly counters = { undecodable_messages: 0, faults: 0, reports_dropped: 0, redirects: 0 };

  /** @param addresses "host:port" of each coordinator, the first choice first */
  constructor(addresses: readonly string[], identity: TlsIdentity, events: LinkEvents) {
    this.#credentials = channelCredentials(identity);
    this.#plan = new DialPlan(addresses);
    this.#events = events;
    const undecodable = () => this.counters.undecodable_messages++;
    const service = coordinatorService({ undecodable });
    this.#Client = makeGenericClientConstructor(service, "CoordinatorService");
  }

  /** Begins; from now on the link is kept open until `close`. */
  open(): void {
    const { address, waitMs, patienceMs } = this.#plan.next(Math.random());
    this.#timer = setTimeout(() => this.#call(address, patienceMs), waitMs);
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
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#close?.();
  }

  #call(address: string, patienceMs: number): void {
    failpoint("agent.link.open");
    // A channel of its own for each call: an old one would remember its failures and wait.
    const client = new this.#Client(address, this.#credentials, linkOptions);
    // The call goes out with the connection: one that stands at the door without a word takes the
    // place of somebody who has something to say.
    const stream: Stream = client.subscribe(new Metadata({ waitForReady: true }));
    this.#stream = stream;
    let looks = 0;
    let isOver = false;
    const close = () => {
      isOver = true;
      clearTimeout(patience);
      clearInterval(watch);
      if (this.#stream === stream) this.#stream = undefined;
      stream.cancel();
      client.close();
    };
    const end = (reason: string, isSentOn = false) => {
      if (isOver) return;
      close();
      if (this.#isClosed) return;
      if (!isSentOn) this.#plan.failed();
      failpoint("agent.link.end");
      this.#events.onClose(`${address}: ${reason}`);
      this.open();
    };
    const patience = setTimeout(() => end(`no answer within ${patienceMs} ms`), patienceMs);
    let watch: NodeJS.Timeout | undefined;
    const look = () => {
      if (++looks >= SILENT_LOOKS) end(`silent for ${(LOOK_MS * SILENT_LOOKS) / 1000} s`);
    };
    this.#close = close;
    stream.on("data", (message: CoordinatorMessage) => {
      if (isOver) return;
      looks = 0;
      clearTimeout(patience);
      // The first word is waited for with patience: a busy server has us in a line.
      watch ??= setInterval(look, LOOK_MS);
      this.#hear(message, end);
    });
    stream.on("error", (error: Error) => end(error.message));
    stream.on("end", () => end("the coordinator ended the stream"));
    failpoint("agent.link.hello");
    this.#events.onOpen();
  }

  #hear(message: CoordinatorMessage, end: (reason: string, isSentOn: boolean) => void): void {
    const { body } = message;
    if (body.case === "redirect") {
      this.counters.redirects++;
      this.#plan.redirected(body.value.address, body.value.coordinatorAddresses);
      end(body.value.reason, true);
      return;
    }
    // Only a welcome is success: a refused agent must not knock ten times a second.
    if (body.case === "welcome") this.#plan.welcomed(body.value.coordinatorAddresses);
    try {
      failpoint("agent.link.message.before");
      this.#events.onMessage(message);
      failpoint("agent.link.message.after");
    } catch {
      this.counters.faults++;
    }
  }
}
