/**
 * A file that is there whole or not at all: written beside its place and renamed at the end.
 *
 * What is no ordinary file (a pipe, /dev/null) is written to directly; renaming would replace it.
 */
import {
  closeSync,
  fstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Text is gathered up to this size before it is written (characters). */
const GATHERED_MAX = 1 << 16;

const STDOUT = 1;
/** Names of standard output; as a file it is not to be replaced, and goes on where it stands. */
const STDOUT_NAMES = new Set(["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]);

/** The place that a path leads to, links followed as far as there is something. */
export function placeOf(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    return whole === dirname(whole) ? whole : join(placeOf(dirname(whole)), basename(whole));
  }
}

/** See the module head. Every method throws what the file system says. */
export class OutFile {
  readonly path: string;
  readonly #temporary: string | undefined;
  readonly #fd: number;
  #gathered = "";
  #open = true;

  constructor(path: string) {
    this.path = path;
    if (STDOUT_NAMES.has(resolve(path)) && fstatSync(STDOUT).isFile()) {
      this.#fd = STDOUT;
      return;
    }
    const special = statSync(path, { throwIfNoEntry: false })?.isFile() === false;
    this.#temporary = special ? undefined : `${path}.${process.pid}.tmp`;
    this.#fd = openSync(this.#temporary ?? path, "w");
  }

  write(text: string): void {
    this.#gathered += text;
    if (this.#gathered.length >= GATHERED_MAX) this.#flush();
  }

  /** Puts the file in its place. */
  finish(): void {
    this.#flush();
    this.#close();
    if (this.#temporary) renameSync(this.#temporary, this.path);
  }

  /** Leaves nothing behind; after `finish`, does nothing. */
  drop(): void {
    if (!this.#open) return;
    this.#close();
    if (this.#temporary) rmSync(this.#temporary, { force: true });
  }

  #flush(): void {
    const bytes = Buffer.from(this.#gathered);
    this.#gathered = "";
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }

  #close(): void {
    this.#open = false;
    if (this.#fd !== STDOUT) closeSync(this.#fd);
  }
}
