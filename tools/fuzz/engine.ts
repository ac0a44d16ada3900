/**
 * Runs a target's cases, and finds out what is wrong with an input.
 *
 * A throw is a crash. An input that takes longer than the target's limit is tried again some times, and
 * is a hang if it takes longer each time: machines have other things to do. Memory is what the heap
 * holds after a forced collection, at a fifth of the way and at the end (of every life, where inputs
 * build upon each other).
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Coverage } from "./coverage.ts";
import { shrunk, smallest } from "./shrink.ts";
import { Broken, below, caseStream, type FuzzTarget } from "./target.ts";

/** An input that took too long is tried so often; */
const TRIES = 5;
/** one that took this share of too long, too, to tell how slow the slowest really is. */
const SLOW_SHARE = 0.25;
/** Memory may grow by so much (bytes). */
export const GROWTH_LIMIT_BYTES = 50e6;
const GROWTH_FROM = 0.2;
/** Findings of one kind are told once, and no more than so many kinds in all. */
const FINDINGS_MAX = 10;
/** Inputs between two looks at what was reached, in the guided form. */
const GENERATION = 256;
/** Inputs that are kept for having reached something. */
const POOL_MAX = 4_000;
/** Progress is told every so many cases at least; must be a power of two. */
const TELL_CASES = 64;

/** Which cases of a target. */
export interface Cases {
  readonly target: string;
  readonly seed: number;
  /** From this number up to below that one. */
  readonly from: number;
  readonly to: number;
  /** Ends after so long, whatever is left; undefined: not before the last case (s). */
  readonly seconds?: number;
  /** Guided by what is reached. */
  readonly guided?: boolean;
}

/** What is wrong with an input. */
export interface Finding {
  readonly target: string;
  readonly kind: "crash" | "hang" | "memory";
  readonly seed: number;
  readonly index: number;
  readonly detail: string;
  readonly input: Uint8Array;
}

/** What came of the cases. */
export interface Tally {
  readonly target: string;
  readonly cases: number;
  readonly accepted: number;
  readonly refused: number;
  readonly findings: readonly Finding[];
  readonly slowestMs: number;
  /** Largest growth of the heap in one life (bytes). */
  readonly growthBytes: number;
  readonly seconds: number;
  /** Blocks reached; 0: not counted. */
  readonly blocks: number;
  readonly kept: number;
}

/** What a run tells while it goes on. */
export interface Watch {
  /** The input that is about to be run. */
  input?(bytes: Uint8Array): void;
  progress?(cases: number): void;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Memory in use after everything that can go has gone (bytes). */
function heapBytes(): number {
  // Twice: the memory of buffers that the first finds dead is let go at the second.
  collect();
  collect();
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** See the module head. */
export class Run {
  readonly #target: FuzzTarget;
  readonly #cases: Cases;
  readonly #watch: Watch;
  readonly #pool: Uint8Array[];
  readonly #findings: Finding[] = [];
  readonly #kinds = new Set<string>();
  readonly #coverage: Coverage | undefined;
  /** Inputs since the beginning of this life, or of this generation. */
  #since: Uint8Array[] = [];
  #accepted = 0;
  #refused = 0;
  #slowestMs = 0;
  #growthBytes = 0;
  #earlyBytes = Number.NaN;
  #kept = 0;

  constructor(target: FuzzTarget, cases: Cases, watch: Watch = {}) {
    this.#target = target;
    this.#cases = cases;
    this.#watch = watch;
    this.#pool = [...target.seeds];
    this.#coverage = cases.guided ? new Coverage() : undefined;
  }

  /** Runs the cases. */
  run(): Tally {
    const { target: name, seed, from, to, seconds = Number.POSITIVE_INFINITY } = this.#cases;
    const target = this.#target;
    const startMs = performance.now();
    const inputsOfLife = target.life?.inputs ?? to - from;
    let index = from;
    let share = 0;
    let isMeasured = false;
    for (; index < to && this.#findings.length < FINDINGS_MAX; index++) {
      const inLife = (index - from) % inputsOfLife;
      if (inLife === 0) {
        if (index > from && target.life) this.#endLife();
        this.#begin();
        isMeasured = false;
      }
      if ((index & (TELL_CASES - 1)) === 0) {
        this.#watch.progress?.(index - from);
        share = (performance.now() - startMs) / 1e3 / seconds;
        if (share >= 1) break;
      }
      const isEarly = target.life || seconds === Number.POSITIVE_INFINITY;
      const at = isEarly ? inLife / Math.min(inputsOfLife, to - index + inLife) : share;
      if (!isMeasured && at >= GROWTH_FROM) {
        this.#earlyBytes = heapBytes();
        isMeasured = true;
      }
      const input = target.mutate(caseStream(seed, name, index), this.#pool);
      this.#try(input, index);
      if (this.#coverage && (index + 1) % GENERATION === 0) this.#look(seed, index);
    }
    this.#endLife();
    this.#watch.progress?.(index - from);
    this.#coverage?.close();
    return {
      target: name,
      cases: index - from,
      accepted: this.#accepted,
      refused: this.#refused,
      findings: this.#findings,
      slowestMs: this.#slowestMs,
      growthBytes: this.#growthBytes,
      seconds: (performance.now() - startMs) / 1e3,
      blocks: this.#coverage?.count ?? 0,
      kept: this.#kept,
    };
  }

  #begin(): void {
    this.#target.life?.begin();
    this.#since = [];
    this.#earlyBytes = Number.NaN;
  }

  #endLife(): void {
    this.#since = [];
    if (Number.isNaN(this.#earlyBytes)) return;
    const grownBytes = heapBytes() - this.#earlyBytes;
    this.#earlyBytes = Number.NaN;
    this.#growthBytes = Math.max(this.#growthBytes, grownBytes);
    if (grownBytes < GROWTH_LIMIT_BYTES) return;
    const detail = `the heap grew by ${(grownBytes / 1e6).toFixed(0)} MB`;
    this.#tell("memory", 0, detail, new Uint8Array(0));
  }

  #try(input: Uint8Array, index: number): void {
    const target = this.#target;
    this.#watch.input?.(input);
    if (target.life || this.#coverage) this.#since.push(input.slice());
    const beforeMs = performance.now();
    try {
      if (target.run(input)) this.#accepted++;
      else this.#refused++;
    } catch (error) {
      this.#crashed(error, input, index);
      return;
    }
    const tookMs = target.life?.longestMs() ?? performance.now() - beforeMs;
    const isSlow = tookMs > SLOW_SHARE * target.limitMs;
    const leastMs = target.life || !isSlow ? tookMs : leastOf(target, input);
    this.#slowestMs = Math.max(this.#slowestMs, leastMs);
    if (leastMs <= target.limitMs) return;
    this.#tell("hang", index, `takes ${leastMs.toFixed(1)} ms each time`, this.#history(input));
  }

  /** All that led to this, where inputs build upon each other. */
  #history(input: Uint8Array): Uint8Array {
    return this.#target.life ? joined(this.#since) : input.slice();
  }

  #crashed(error: unknown, input: Uint8Array, index: number): void {
    const key = errorKey(error);
    if (this.#kinds.has(key)) return;
    this.#kinds.add(key);
    const { life } = this.#target;
    const fails = (bytes: Uint8Array) => {
      life?.begin();
      return faultOf(this.#target, bytes) === key;
    };
    const found = life
      ? joined(smallest(this.#since, (inputs) => fails(joined(inputs))))
      : shrunk(input.slice(), fails);
    this.#tell("crash", index, describe(error), found);
    if (life) this.#begin();
  }

  #tell(kind: Finding["kind"], index: number, detail: string, input: Uint8Array): void {
    const { target, seed } = this.#cases;
    this.#findings.push({ target, kind, seed, index, detail, input });
  }

  /** Keeps the inputs of a generation that reached something new. */
  #look(seed: number, index: number): void {
    const coverage = this.#coverage!;
    const fresh = coverage.takeNew();
    // Where inputs build upon each other none is worth anything by itself, and all are history.
    if (this.#target.life) return;
    const generation = this.#since;
    this.#since = [];
    for (const input of generation) {
      if (fresh.size === 0) return;
      faultOf(this.#target, input);
      const reached = coverage.takeAll().filter((block) => fresh.delete(block));
      if (reached.length === 0) continue;
      this.#kept++;
      if (this.#pool.length < POOL_MAX) this.#pool.push(input);
      else this.#pool[below(caseStream(seed, "pool", index), POOL_MAX)] = input;
    }
  }
}

/** Processor time of the quickest of some runs (ms): on a busy machine others make everything slow. */
function leastOf(target: FuzzTarget, input: Uint8Array): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES; i++) {
    const before = process.threadCpuUsage();
    target.run(input);
    const { user, system } = process.threadCpuUsage(before);
    leastMs = Math.min(leastMs, (user + system) / 1e3);
  }
  return leastMs;
}

/** What an input breaks; undefined: nothing. */
export function faultOf(target: FuzzTarget, input: Uint8Array): string | undefined {
  try {
    target.run(input);
    return undefined;
  } catch (error) {
    return errorKey(error);
  }
}

/** The same for errors that have the same cause: where it was thrown, numbers in its text apart. */
function errorKey(error: unknown): string {
  const { name, message, stack = "" } = error as Error;
  const text = error instanceof Broken ? message : name;
  const at = stack.split("\n").find((line) => /^\s+at .*\.(ts|js)/.test(line)) ?? "";
  return `${text.replace(/\d+/g, "#")} ${at.trim()}`;
}

/** Message, and the innermost places. */
function describe(error: unknown): string {
  const { message, stack = "" } = error as Error;
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return [message.slice(0, 200), ...frames.slice(0, 4).map((line) => line.trim())].join("\n    ");
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
