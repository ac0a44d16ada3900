/** What a fuzz target is: where its inputs come from, and what is done with one. */
import { hashText, mix32, Prng } from "@ttcs/units";

/** One way in for bytes from outside. All of it is a function of seed and case, so that any case can be repeated. */
export interface FuzzTarget {
  /** Inputs of the short form. */
  readonly cases: number;
  /** An input that takes longer than this each time it is tried is a hang (ms). */
  readonly limitMs: number;
  /** Valid inputs, to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Makes an input out of others; good until the next call. */
  mutate(random: Prng, pool: readonly Uint8Array[]): Uint8Array;
  /** True: accepted; false: refused. A throw is a finding. */
  run(input: Uint8Array): boolean;
  /** Present where inputs build upon each other. */
  readonly life?: {
    /** So many inputs, one after the other, then all begins anew. */
    readonly inputs: number;
    begin(): void;
    /** The longest that the last input held up the process, tried again where it was long (ms). */
    longestMs(): number;
  };
}

/** Thrown where an input did not crash anything and did what must not be. */
export class Broken extends Error {}

/** Says that `what` must be so. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Broken(what);
}

/** The stream of random numbers of one case. */
export const caseStream = (seed: number, target: string, index: number): Prng =>
  new Prng(mix32(mix32(seed, hashText(target)), index));

/** A whole number from 0 up to below `count`. */
export const below = (random: Prng, count: number): number => random.next() % count;

/** One of several. */
export const pick = <T>(random: Prng, values: readonly T[]): T =>
  values[below(random, values.length)];

/** True in so many of a hundred cases. */
export const chance = (random: Prng, percent: number): boolean => below(random, 100) < percent;
