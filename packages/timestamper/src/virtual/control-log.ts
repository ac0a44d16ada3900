/**
 * The writes to a virtual clock, on disk.
 *
 * Problem: a real system clock keeps its setting when the agent is killed; a virtual one has nobody
 * else to keep it. Approach: one JSON line per write, appended before the write counts. The page
 * cache outlives a killed process, so nothing is synced to disk. A line that was torn by a kill never
 * counted and is ignored; the next writer cuts it off.
 *
 * Assumptions: one writer, any number of readers. Cannot survive a crash of the machine, nor can
 * the laboratory.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { TtcsError } from "@ttcs/units";
import type { ControlKind, ControlWrite } from "./timeline.ts";

const NEWLINE = 0x0a;
/** Every kind of write; the type demands that none is missing. */
const KINDS: Readonly<Record<ControlKind, true>> = {
  frequency: true,
  step: true,
  "foreign-rate": true,
  "foreign-step": true,
  "foreign-setting": true,
};

/** The control log's file of laboratory host `index`. */
export function controlLogPath(stateDir: string, index: number): string {
  return join(stateDir, `clock-${index}.jsonl`);
}

/** Reads a log on, from where it stopped the last time. */
export class ControlLogReader {
  readonly #path: string;
  #bytesRead = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Length of the whole lines read so far (bytes). */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /**
   * The writes since the last call; none while there is no file.
   *
   * Errors: CONFIG_UNREADABLE when a whole line is no write.
   */
  readOn(): ControlWrite[] {
    let fd: number;
    try {
      fd = openSync(this.#path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    try {
      const fresh = Buffer.alloc(Math.max(0, fstatSync(fd).size - this.#bytesRead));
      const got = readSync(fd, fresh, 0, fresh.length, this.#bytesRead);
      const whole = fresh.subarray(0, got).lastIndexOf(NEWLINE) + 1;
      const lines = fresh.toString("utf8", 0, whole).split("\n");
      this.#bytesRead += whole;
      return lines.filter((line) => line !== "").map((line) => parseLine(line, this.#path));
    } finally {
      closeSync(fd);
    }
  }
}

/** A log that is open for appending. */
export class ControlLog {
  /** The writes that the log held when it was opened. */
  readonly past: readonly ControlWrite[];
  readonly #fd: number;

  /** Opens or creates the log; the folder is made as well. */
  constructor(path: string) {
    mkdirSync(join(path, ".."), { recursive: true });
    const reader = new ControlLogReader(path);
    this.past = reader.readOn();
    this.#fd = openSync(path, "a");
    ftruncateSync(this.#fd, reader.bytesRead);
  }

  append(write: ControlWrite): void {
    const { rawNs, kind, value } = write;
    writeSync(this.#fd, `${JSON.stringify({ rawNs: rawNs.toString(), kind, value })}\n`);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** A whole line of the log `file`. */
export function parseLine(line: string, file: string): ControlWrite {
  const fault = new TtcsError("CONFIG_UNREADABLE", {
    file,
    detail: `"${line.slice(0, 80)}" is no write to a clock; remove the laboratory's state folder`,
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new TtcsError(fault.code, fault.fields, { cause });
  }
  const { rawNs, kind, value } = (parsed ?? {}) as Record<string, unknown>;
  if (typeof rawNs !== "string" || !/^-?\d+$/.test(rawNs)) throw fault;
  if (typeof kind !== "string" || !Object.hasOwn(KINDS, kind)) throw fault;
  if (typeof value !== "number") throw fault;
  return { rawNs: BigInt(rawNs), kind: kind as ControlKind, value };
}
