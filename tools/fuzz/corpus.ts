/** Inputs that once broke something, one file each: `TARGET-HASH.bin`. They are run first every time. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** Where they lie. */
export const CORPUS = join(import.meta.dirname, "corpus");
const HASH_DIGITS = 12;
const NAME = /^([a-z]+)-[0-9a-f]+\.bin$/;

/** One of them. */
export interface CorpusFile {
  readonly file: string;
  readonly target: string;
  readonly input: Uint8Array;
}

/** Writes an input; returns its path. */
export function keep(target: string, input: Uint8Array, folder = CORPUS): string {
  mkdirSync(folder, { recursive: true });
  const hash = createHash("sha256").update(input).digest("hex").slice(0, HASH_DIGITS);
  const file = join(folder, `${target}-${hash}.bin`);
  writeFileSync(file, input);
  return file;
}

/** Reads one; undefined when its name is none of the corpus. */
export function readCorpusFile(file: string): CorpusFile | undefined {
  const target = NAME.exec(basename(file))?.[1];
  return target === undefined ? undefined : { file, target, input: readFileSync(file) };
}

/** All of them, or those of one target. */
export function corpus(target?: string, folder = CORPUS): CorpusFile[] {
  const files = readdirSync(folder).map((name) => readCorpusFile(join(folder, name)));
  return files
    .filter((f) => f !== undefined)
    .filter((f) => target === undefined || f.target === target);
}
