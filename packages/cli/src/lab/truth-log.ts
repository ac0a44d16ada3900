/**
 * Follows the control log of a laboratory host: one line of JSON per write, as docs/lab.md says.
 *
 * A reader of its own, so that the truth does not depend on how the clock reads its log. A last line
 * without an end is left for the next time: whoever wrote it is still at it, or was killed, and then
 * the next life of the clock cuts it off.
 */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

const KINDS = ["frequency", "step", "foreign-rate", "foreign-step", "foreign-setting"] as const;

/** One write: `value` is ns for steps and ppb for the others. */
export interface LoggedWrite {
  /** The host's raw clock just before the write (ns). */
  readonly rawNs: bigint;
  readonly kind: (typeof KINDS)[number];
  readonly value: number;
}

/** See the module head. */
export class TruthLog {
  readonly #path: string;
  #fd: number | undefined;
  #offset = 0;
  readonly #chunk = Buffer.alloc(65_536);

  constructor(stateDir: string, index: number) {
    this.#path = join(stateDir, `clock-${index}.jsonl`);
  }

  /**
   * The writes since the last call; none while there is no file.
   *
   * @throws Error when a whole line is no write
   */
  readOn(): LoggedWrite[] {
    if (this.#fd === undefined && !existsSync(this.#path)) return [];
    this.#fd ??= openSync(this.#path, "r");
    const writes: LoggedWrite[] = [];
    for (;;) {
      const got = readSync(this.#fd, this.#chunk, 0, this.#chunk.length, this.#offset);
      const text = this.#chunk.toString("latin1", 0, got);
      const end = text.lastIndexOf("\n") + 1;
      if (end === 0) return writes;
      this.#offset += end;
      for (const line of text.slice(0, end - 1).split("\n")) writes.push(this.#parse(line));
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #parse(line: string): LoggedWrite {
    const { rawNs, kind, value } = JSON.parse(line);
    const known = KINDS.find((k) => k === kind);
    if (known && Number.isFinite(value)) return { rawNs: BigInt(rawNs), kind: known, value };
    throw new Error(`${this.#path}: "${line}" is no write to a clock`);
  }
}
