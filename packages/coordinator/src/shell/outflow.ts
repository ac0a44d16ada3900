/**
 * What goes to one agent: never more than one message under way, and of each kind the newest only.
 *
 * Problem: an agent that does not read must cost neither memory nor anybody else's time, and what it
 * reads when it comes round must be of now. Approach: a message is handed to the stream when the one
 * before it has left. What comes meanwhile waits in a place for its kind, and a newer one takes that
 * place: a correction that has not left yet is of no use any more once the next one is there. A stream
 * that takes nothing for a while is given up.
 *
 * Assumption: the newest message of a kind says all that those before it said.
 */
import type { CoordinatorMessage } from "@ttcs/protocol";

/** A stream that has taken nothing for this long is stalled (ms): twenty rounds. */
export const STALLED_AFTER_MS = 10_000;

/** Hands a message to the stream; `left` is called once it has gone. */
export type Write = (message: CoordinatorMessage, left: () => void) => void;

/** See the module head. */
export class Outflow {
  readonly #write: Write;
  readonly #nowMs: () => number;
  /** By kind, in the order in which they are to leave. */
  readonly #waiting = new Map<string, CoordinatorMessage>();
  /** Since when a message is under way (ms); NaN: none is. */
  #sinceMs = Number.NaN;
  #replacedCount = 0;
  #finish: (() => void) | undefined;

  /** @param nowMs a monotonic clock */
  constructor(write: Write, nowMs: () => number = () => performance.now()) {
    this.#write = write;
    this.#nowMs = nowMs;
  }

  /** Messages that a newer one has replaced. */
  get replacedCount(): number {
    return this.#replacedCount;
  }

  send(message: CoordinatorMessage): void {
    if (Number.isNaN(this.#sinceMs)) {
      this.#begin(message);
      return;
    }
    const kind = message.body.case ?? "";
    // Taken out and put in again: a newer one leaves after what was said before it.
    if (this.#waiting.delete(kind)) this.#replacedCount++;
    this.#waiting.set(kind, message);
  }

  /** Calls `finish` once all that waits has left; nothing may be sent any more. */
  end(finish: () => void): void {
    if (Number.isNaN(this.#sinceMs)) finish();
    else this.#finish = finish;
  }

  /** For how long the message under way has not left (ms); 0: none is. */
  get waitedMs(): number {
    return Number.isNaN(this.#sinceMs) ? 0 : this.#nowMs() - this.#sinceMs;
  }

  /** True when nothing has left for too long. */
  get isStalled(): boolean {
    return this.waitedMs > STALLED_AFTER_MS;
  }

  #begin(message: CoordinatorMessage): void {
    this.#sinceMs = this.#nowMs();
    this.#write(message, () => this.#left());
  }

  #left(): void {
    const { done, value } = this.#waiting.values().next();
    if (done) {
      this.#sinceMs = Number.NaN;
      this.#finish?.();
      return;
    }
    this.#waiting.delete(value.body.case ?? "");
    this.#begin(value);
  }
}
