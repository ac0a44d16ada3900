/**
 * A file that is there whole or not at all: written beside its place and renamed at the end.
 *
 * What is no ordinary file (a pipe, /dev/null) is written to directly; renaming would replace it.
 */
import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";

/** Text is gathered up to this size before it is written (characters). */
const GATHERED_MAX = 1 << 16;

/** See the module head. Every method throws what the file system says. */
export class OutFile {
  readonly path: string;
  readonly #temporary: string | undefined;
  readonly #fd: number;
  #gathered = "";
  #open = true;

  constructor(path: string) {
    this.path = path;
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
    closeSync(this.#fd);
  }
}
