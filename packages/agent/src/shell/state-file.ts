/**
 * Keeps one small text over restarts: written whole or not at all, and no fault is fatal.
 *
 * The text goes into a new file beside the old one, is forced to the disk, and takes the old one's name
 * in one step; then the folder is forced too. Whoever is killed in between leaves the old file or the
 * new one. One write is under way at a time; of texts that come meanwhile the newest is written next.
 */
import { readFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { failpoint } from "@ttcs/units";

/** Larger than any state; a file beyond this is not ours. */
const BYTES_MAX = 1 << 20;

/** The calls that may fail; a test makes each of them fail. */
export interface Disk {
  readonly mkdir: (folder: string) => Promise<unknown>;
  /** Writes a new file and forces it to the disk. */
  readonly write: (file: string, text: string) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  /** Forces a folder's entries to the disk. */
  readonly sync: (folder: string) => Promise<void>;
}

/** The disk of this machine. */
export const realDisk: Disk = {
  mkdir: (folder) => mkdir(folder, { recursive: true, mode: 0o700 }),
  write: async (file, text) => {
    const handle = await open(file, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename,
  sync: async (folder) => {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** See the module head. */
export class StateFile {
  readonly path: string;
  readonly counters = { writes: 0, failures: 0 };
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #onDone: (fault: string | undefined) => void;
  #next: string | undefined;
  #writing: Promise<void> | undefined;

  /** @param onDone told after each write: why it failed, or undefined */
  constructor(folder: string, onDone: (fault: string | undefined) => void, disk = realDisk) {
    this.#folder = folder;
    this.path = join(folder, "agent-state.json");
    this.#onDone = onDone;
    this.#disk = disk;
  }

  /** The text of an earlier life; undefined: there is none, or it cannot be read (`onDone` is told). */
  read(): string | undefined {
    try {
      const text = readFileSync(this.path, "utf8");
      return text.length <= BYTES_MAX ? text : "";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#fail(error as Error);
      return undefined;
    }
  }

  /** Writes a text by and by. */
  write(text: string): void {
    this.#next = text;
    this.#writing ??= this.#work();
  }

  /** When all has been written, or has failed. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #work(): Promise<void> {
    while (this.#next !== undefined) {
      const text = this.#next;
      this.#next = undefined;
      try {
        await this.#replace(text);
        this.counters.writes++;
        this.#onDone(undefined);
      } catch (error) {
        this.#fail(error as Error);
      }
    }
    this.#writing = undefined;
  }

  async #replace(text: string): Promise<void> {
    const fresh = `${this.path}.new`;
    await this.#disk.mkdir(this.#folder);
    failpoint("agent.state.write");
    await this.#disk.write(fresh, text);
    failpoint("agent.state.rename");
    await this.#disk.rename(fresh, this.path);
    failpoint("agent.state.sync");
    await this.#disk.sync(this.#folder);
  }

  #fail(error: Error): void {
    this.counters.failures++;
    this.#onDone(`${this.path}: ${error.message}`);
  }
}
