/**
 * What a domain asks its shell to do, collected while an event is handled.
 *
 * The core does nothing itself: messages, ends of streams and lines of the log are actions that the
 * shell takes and carries out in order. Every message bears the domain's name, the fencing number of
 * this leadership and the newest round. Whether an action succeeded it never learns; a stream that
 * broke is told of by an event.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  type Correction,
  type Header,
} from "@ttcs/protocol";
import type { Host } from "./host.ts";
import { TERM_BELIEVED_MAX } from "./lease.ts";
import type { DomainMemory } from "./memory.ts";

/** What the shell is asked to do. */
export type Action =
  | { readonly kind: "send"; readonly connection: number; readonly message: CoordinatorMessage }
  | { readonly kind: "end"; readonly connection: number }
  /** Keep this for the next coordinator; nothing waits for it. */
  | { readonly kind: "remember"; readonly memory: DomainMemory }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly text: string };

/** What a message says, besides its header. */
export type Body = NonNullable<MessageInitShape<typeof CoordinatorMessageSchema>["body"]>;

const isWhole = (body: Body): body is { case: "correction"; value: Correction } =>
  body.case === "correction" && body.value.$typeName !== undefined;

/** See the module head. */
export class Outbox {
  readonly #domain: string;
  #term: bigint;
  #round = 0n;
  #actions: Action[] = [];
  #header: Header | undefined;

  /** @param term fencing number of this leadership. */
  constructor(domain: string, term: bigint) {
    this.#domain = domain;
    this.#term = term;
  }

  /** An agent has seen a later term than ours: go beyond it, unless it is absurd. */
  outrank(term: bigint): void {
    if (term <= this.#term) return;
    if (term > TERM_BELIEVED_MAX) this.log("warn", `term ${term} is not believed`);
    else this.#term = term + 1n;
  }

  /** This leadership has a later term from now on. */
  lead(term: bigint): void {
    this.#term = term;
  }

  /** The highest round so far. */
  get round(): bigint {
    return this.#round;
  }

  /** Rounds go on from here. */
  resume(round: bigint): void {
    this.#round = round;
  }

  /** Messages are of this round from now on; rounds never go back. */
  begin(round: bigint): void {
    this.#round = round > this.#round ? round : this.#round + 1n;
  }

  /** A message to a host; to one that is disconnected, none. */
  send(host: Host, body: Body): void {
    if (host.connection !== undefined) this.#sendTo(host.connection, body);
  }

  /** Refuses a stream: tells why and ends it. */
  refuse(connection: number, reason: string): void {
    this.log("warn", `refused a stream: ${reason}`);
    this.#sendTo(connection, { case: "refusal", value: { reason } });
    this.end(connection);
  }

  /** Ends a stream. */
  end(connection: number): void {
    this.#actions.push({ kind: "end", connection });
  }

  log(level: "info" | "warn", text: string): void {
    this.#actions.push({ kind: "log", level, text: `domain ${this.#domain}: ${text}` });
  }

  remember(memory: DomainMemory): void {
    this.#actions.push({ kind: "remember", memory });
  }

  /** All actions since the last call. */
  take(): Action[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  #sendTo(connection: number, body: Body): void {
    const header = this.#headerNow();
    // A correction is a whole message already; to make another of it would be a third of a round.
    const message: CoordinatorMessage = isWhole(body)
      ? { $typeName: "clocksync.CoordinatorMessage", header, body }
      : create(CoordinatorMessageSchema, { header, body });
    this.#actions.push({ kind: "send", connection, message });
  }

  /** The same for all messages of a round. */
  #headerNow(): Header {
    const before = this.#header;
    if (before?.term === this.#term && before.round === this.#round) return before;
    const fields = { domain: this.#domain, term: this.#term, round: this.#round };
    this.#header = { $typeName: "clocksync.Header", ...fields };
    return this.#header;
  }
}
