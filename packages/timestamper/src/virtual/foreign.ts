/**
 * A foreign hand on a virtual clock: another program that writes the same CLOCK_REALTIME.
 *
 * Problem: what an agent does when somebody else bends its clock has to be tried, from outside and
 * without a hand on the machine's own clock. Approach: whoever plays the foreign hand appends lines to
 * a file; the running virtual clock looks at the file's size now and then and does at once what is
 * new, as if an adjtimex had come in between. It notes each deed in the control log with the raw
 * instant at which it happened, so that truth follows from seed and log alone.
 *
 * The control log also says how many lines were done before a restart: a line is done once. While no
 * agent runs nobody does it: it waits for the next one.
 */
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { assert, TtcsError } from "@ttcs/units";
import type { ControlWrite, ForeignKind } from "./timeline.ts";

/**
 * What a foreign hand can do:
 * - rate: a lasting slew beside the frequency setting (ppb, positive: faster; 0 ends it). It does not
 *   show in the setting and survives our own writes;
 * - step: moves the system clock at once (ns, positive: forward);
 * - setting: overwrites the frequency setting itself (ppb), as another time daemon would.
 */
export type ForeignWrite =
  | { readonly kind: "rate"; readonly ratePpb: number }
  | { readonly kind: "step"; readonly stepNs: number }
  | { readonly kind: "setting"; readonly freqPpb: number };

/** What is done to the clock: the kind as it stands in the control log. */
interface Deed {
  readonly kind: ForeignKind;
  readonly value: number;
}

const NEWLINE = 0x0a;
/** The kernel allows this much at most (ppb), whoever asks. */
const RATE_LIMIT_PPB = 500_000;

/** The foreign hand's file of laboratory host `index`. */
export const foreignPath = (stateDir: string, index: number): string =>
  join(stateDir, `foreign-${index}.jsonl`);

/** Bends the clock of laboratory host `index` as soon as it looks: within 0.1 s as a rule. */
export function appendForeign(stateDir: string, index: number, write: ForeignWrite): void {
  assert(deedOf(write) !== undefined, "a foreign hand writes finite values, rates within 500 ppm");
  appendFileSync(foreignPath(stateDir, index), `${JSON.stringify(write)}\n`);
}

/** The file as the clock that it is meant for sees it. */
export class ForeignHand {
  readonly #path: string;
  readonly #fd: number;
  #bytesRead = 0;
  /** Lines that an earlier life of the clock has done. */
  #doneBefore: number;

  constructor(stateDir: string, index: number, past: readonly ControlWrite[]) {
    this.#path = foreignPath(stateDir, index);
    // Created here, so that looking costs one fstat of an open file.
    this.#fd = openSync(this.#path, "a+");
    this.#doneBefore = past.filter(({ kind }) => kind.startsWith("foreign-")).length;
  }

  /**
   * What is to be done since the last call.
   *
   * Errors: CONFIG_UNREADABLE when a whole line is none of a foreign hand's.
   */
  readOn(): Deed[] {
    const freshBytes = fstatSync(this.#fd).size - this.#bytesRead;
    if (freshBytes <= 0) return [];
    const fresh = Buffer.alloc(freshBytes);
    const got = readSync(this.#fd, fresh, 0, freshBytes, this.#bytesRead);
    const whole = fresh.subarray(0, got).lastIndexOf(NEWLINE) + 1;
    this.#bytesRead += whole;
    const lines = fresh.toString("utf8", 0, whole).split("\n").slice(0, -1);
    const done = Math.min(this.#doneBefore, lines.length);
    this.#doneBefore -= done;
    return lines.slice(done).map((line) => this.#parse(line));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #parse(line: string): Deed {
    let deed: Deed | undefined;
    try {
      deed = deedOf(JSON.parse(line));
    } catch {
      // Told below, as any line that is none.
    }
    if (deed) return deed;
    const detail = `"${line.slice(0, 80)}" is no write of a foreign hand`;
    throw new TtcsError("CONFIG_UNREADABLE", { file: this.#path, detail });
  }
}

/** The deed that a line asks for; undefined when it makes no sense. */
export function deedOf(line: unknown): Deed | undefined {
  const { kind, ratePpb, stepNs, freqPpb } = (line ?? {}) as Record<string, unknown>;
  const isRate = (x: unknown): x is number =>
    typeof x === "number" && Math.abs(x) <= RATE_LIMIT_PPB;
  if (kind === "rate" && isRate(ratePpb)) return { kind: "foreign-rate", value: ratePpb };
  if (kind === "setting" && isRate(freqPpb)) return { kind: "foreign-setting", value: freqPpb };
  const isStep = kind === "step" && typeof stepNs === "number" && Number.isFinite(stepNs);
  return isStep ? { kind: "foreign-step", value: Math.round(stepNs) } : undefined;
}
