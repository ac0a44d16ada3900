/** What `npm run fuzz` understands. */
import { parseArgs } from "node:util";

/** The long form goes on for so long in all (s). */
const FULL_S = 3_600;
const SEED_MAX = 2 ** 32 - 1;
const CASES_MAX = 1e12;
const SECONDS_MAX = 7 * 86_400;

/** What to do. */
export interface FuzzOptions {
  /** Undefined: all. */
  readonly target?: string;
  /** Undefined: as many as each target has in its short form. */
  readonly cases?: number;
  readonly seed: number;
  /** Ends after so long, counted over all targets (s). */
  readonly seconds?: number;
  /** Guided by what is reached, an hour. */
  readonly full: boolean;
  /** One input from a file, and nothing else. */
  readonly replay?: string;
}

/** Options, or one line that says what is wrong. */
export function fuzzOptions(
  args: readonly string[],
  names: readonly string[],
): FuzzOptions | string {
  let values: Record<string, string | boolean | undefined>;
  try {
    const text = { type: "string" } as const;
    const options = {
      target: text,
      cases: text,
      seed: text,
      seconds: text,
      replay: text,
      full: { type: "boolean" },
    } as const;
    values = parseArgs({ args: [...args], options, allowPositionals: false }).values;
  } catch (error) {
    const [first] = (error as Error).message.split(/[\n.]/);
    return `${first}; give --full, --target NAME, --cases N, --seed N, --seconds N or --replay FILE`;
  }
  const { target, replay, full } = values as Record<string, string | undefined>;
  if (target !== undefined && !names.includes(target)) {
    return `--target ${JSON.stringify(target)}: give one of ${names.join(", ")}`;
  }
  const cases = whole(values.cases, "--cases", 1, CASES_MAX);
  const seed = whole(values.seed, "--seed", 0, SEED_MAX);
  const seconds = whole(values.seconds, "--seconds", 1, SECONDS_MAX);
  for (const read of [cases, seed, seconds]) if (typeof read === "string") return read;
  const isFull = Boolean(full);
  const span = seconds ?? (isFull ? FULL_S : undefined);
  return {
    seed: (seed as number | undefined) ?? 1,
    full: isFull,
    ...(target === undefined ? {} : { target }),
    ...(replay === undefined ? {} : { replay }),
    ...(cases === undefined ? {} : { cases: cases as number }),
    ...(span === undefined ? {} : { seconds: span as number }),
  };
}

/** A whole number within its range; a text: what is wrong with it. */
function whole(
  value: string | boolean | undefined,
  name: string,
  low: number,
  high: number,
): number | string | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= low && number <= high) return number;
  return `${name} ${JSON.stringify(text)}: give a whole number from ${low} to ${high}`;
}
