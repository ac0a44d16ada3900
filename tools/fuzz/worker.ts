/**
 * Runs a target's cases in a thread of its own.
 *
 * Count and input stand in shared memory all the time: when a case never ends, the main thread can say
 * which one it was, and end the thread.
 */
import { parentPort } from "node:worker_threads";
import { type Cases, Run } from "./engine.ts";
import { targets } from "./targets/index.ts";

/** Longer inputs are cut off there (bytes). */
export const INPUT_BYTES_MAX = 1 << 18;

/** What the two threads share: cases done, length of the input, and the input. */
export class Slate {
  readonly shared: SharedArrayBuffer;
  readonly #numbers: Int32Array;
  readonly #input: Uint8Array;

  constructor(shared = new SharedArrayBuffer(8 + INPUT_BYTES_MAX)) {
    this.shared = shared;
    this.#numbers = new Int32Array(shared, 0, 2);
    this.#input = new Uint8Array(shared, 8);
  }

  get cases(): number {
    return Atomics.load(this.#numbers, 0);
  }

  set cases(count: number) {
    Atomics.store(this.#numbers, 0, count);
  }

  get input(): Uint8Array {
    return this.#input.slice(0, Atomics.load(this.#numbers, 1));
  }

  set input(bytes: Uint8Array) {
    const part = bytes.subarray(0, INPUT_BYTES_MAX);
    this.#input.set(part);
    this.#numbers[1] = part.length;
  }
}

/** What the main thread asks for. */
export interface Order {
  readonly cases: Cases;
  readonly shared: SharedArrayBuffer;
}

parentPort?.on("message", ({ cases, shared }: Order) => {
  const slate = new Slate(shared);
  const run = new Run(targets[cases.target](), cases, {
    input: (bytes) => {
      slate.input = bytes;
    },
    progress: (count) => {
      slate.cases = count;
    },
  });
  parentPort?.postMessage(run.run());
});
