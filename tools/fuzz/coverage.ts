/**
 * Which blocks of the product's code have been reached, by V8's own counters.
 *
 * The long form keeps an input for further changes when it reaches a block that no input before has
 * reached. Counters are read after a batch of inputs, because reading them costs as much as many
 * inputs. It cannot see values: two inputs that go the same way look alike, whatever they carry.
 */
import { type Profiler, Session } from "node:inspector";

/** Code that counts: the product's and the protobuf library's, not the fuzzer's. */
const COUNTED = /\/(packages\/[^/]+\/src|node_modules\/@bufbuild\/protobuf)\//;

/** See the module head. */
export class Coverage {
  readonly #session = new Session();
  readonly #reached = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Blocks reached so far. */
  get count(): number {
    return this.#reached.size;
  }

  /** Blocks reached since the last call for the first time ever. */
  takeNew(): Set<string> {
    const fresh = new Set<string>();
    for (const block of this.takeAll()) if (!this.#reached.has(block)) fresh.add(block);
    for (const block of fresh) this.#reached.add(block);
    return fresh;
  }

  /** Blocks reached since the last call. */
  takeAll(): string[] {
    // Answers come at once: the session is in this very thread.
    let taken: Profiler.ScriptCoverage[] = [];
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (!error) taken = result;
    });
    const blocks: string[] = [];
    for (const { url, functions } of taken) {
      if (!COUNTED.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { count, startOffset, endOffset } of ranges) {
          if (count > 0) blocks.push(`${url}:${startOffset}-${endOffset}`);
        }
      }
    }
    return blocks;
  }

  close(): void {
    this.#session.disconnect();
  }
}
