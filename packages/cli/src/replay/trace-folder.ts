/**
 * A recording on disk: `trace.json`, `probes.csv` or `probes.csv.gz`, perhaps `truth.csv`.
 *
 * Faults are thrown as `TraceFault`, whose message is the one line that the user shall see.
 */
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { readPlan, type TracePlan } from "@ttcs/simulator";
import { harmless } from "../harmless.ts";

/** What is wrong with a recording: file, line, what, which value, and nothing that steers a terminal. */
export class TraceFault extends Error {
  constructor(message: string) {
    super(harmless(message));
  }
}

/** What a recording may consist of; none of it is a place for results. */
export const TRACE_FILES = ["trace.json", "probes.csv", "probes.csv.gz", "truth.csv"] as const;

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 20;
const VALUE_SHOWN = 60;

/** Reads and checks `trace.json`. */
export function openPlan(folder: string): TracePlan {
  const file = join(folder, "trace.json");
  return planOf(readText(file), file);
}

/** The plan in the text of a file. */
export function planOf(text: string, file: string): TracePlan {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TraceFault(`${file}: ${syntaxFault(text, (error as Error).message)}`);
  }
  const read = readPlan(json);
  if (read.ok) return read.plan;
  const { reason, value } = read;
  const shown = value === undefined ? "" : JSON.stringify(value);
  const line = 1 + text.slice(0, Math.max(0, text.indexOf(shown))).split("\n").length - 1;
  const clipped = shown.slice(0, VALUE_SHOWN);
  throw new TraceFault(`${file}: line ${line}: ${reason}${clipped && `: ${clipped}`}`);
}

/** The rows as they stand on disk, and how many bytes of the file have been read. */
export interface ProbeFile {
  readonly path: string;
  readonly bytes: number;
  readonly rows: Readable;
  readonly bytesRead: () => number;
}

/** Opens the rows; errors come out of the stream. */
export function openProbes(folder: string): ProbeFile {
  const plain = join(folder, "probes.csv");
  const packed = `${plain}.gz`;
  const path = !existsSync(plain) && existsSync(packed) ? packed : plain;
  let bytes: number;
  try {
    bytes = statSync(path).size;
  } catch (error) {
    throw new TraceFault(`${path}: cannot be read: ${(error as Error).message}`);
  }
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const bytesRead = () => file.bytesRead;
  if (path === plain) return { path, bytes, rows: file, bytesRead };
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  file.on("error", (error) => unpacked.destroy(error));
  return { path, bytes, rows: file.pipe(unpacked), bytesRead };
}

/** A whole file as text. */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TraceFault(`${file}: cannot be read: ${(error as Error).message}`);
  }
}

/** V8 tells the place as "at position 12", or not at all when the text ends too early. */
function syntaxFault(text: string, message: string): string {
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
  const line = text.slice(0, position).split("\n").length;
  const value = JSON.stringify(text.slice(position, position + 20).split("\n")[0]);
  const what = message.replace(/ in JSON at position.*$/s, "").replace(/\s+/g, " ");
  return `line ${line}: no JSON: ${what.slice(0, VALUE_SHOWN)}: ${value}`;
}
