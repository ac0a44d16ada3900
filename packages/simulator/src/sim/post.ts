/**
 * Messages under way: handed over as objects, without bytes.
 *
 * A message waits in a slot until its event comes; slots are used again. Nobody writes into a
 * message that has been sent, so sender and receiver may hold the same one.
 */
import type { AgentMessage, CoordinatorMessage, ExchangeFlush } from "@ttcs/protocol";

/** Where a message goes. */
export type Letter =
  | {
      readonly to: "coordinator";
      readonly host: number;
      readonly connection: number;
      readonly message: AgentMessage;
    }
  | {
      readonly to: "agent";
      readonly host: number;
      readonly connection: number;
      readonly message: CoordinatorMessage;
    }
  | { readonly to: "peer"; readonly host: number; readonly message: ExchangeFlush }
  /** An end of a stream notices that the other one is gone. */
  | { readonly to: "hang up"; readonly host: number; readonly connection: number }
  | { readonly to: "connect"; readonly host: number }
  /** Something of the servers' own. */
  | { readonly to: "then"; readonly host: number; readonly then: () => void };

/** See the module head. */
export class Post {
  readonly #letters: (Letter | undefined)[] = [];
  readonly #free: number[] = [];

  /** Keeps a letter; the answer is its slot. */
  put(letter: Letter): number {
    const slot = this.#free.pop() ?? this.#letters.length;
    this.#letters[slot] = letter;
    return slot;
  }

  peek(slot: number): Letter {
    return this.#letters[slot]!;
  }

  take(slot: number): Letter {
    const letter = this.#letters[slot]!;
    this.#letters[slot] = undefined;
    this.#free.push(slot);
    return letter;
  }
}
