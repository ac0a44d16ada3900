/**
 * Simultaneous readings of raw and system clock, as a kernel gives them: a system reading between two
 * raw ones, some 100 ns apart, now and then interrupted for microseconds.
 */
import type { TripleColumns } from "@ttcs/timestamper/types";
import type { Prng } from "@ttcs/units";
import { type HostClock, UNIX_ZERO_NS } from "./host-clock.ts";
import { InstantColumn } from "./instants.ts";

/** Width of a bracket: at least, and mean on top of it (ns). */
const BRACKET_NS_MIN = 60;
const BRACKET_NS_MORE = 40;
/** Share of brackets that are interrupted, and for how long (mean, ns). */
const INTERRUPTED_SHARE = 0.02;
const INTERRUPTED_NS = 10_000;

// Reused for the next batch of any host: the cores copy what they keep.
const before = new InstantColumn(64);
const between = new InstantColumn(64);
const after = new InstantColumn(64);

/** Takes `count` readings, evenly spread over the time from `fromNs` to `toNs` (true ns). */
export function readTriples(
  clock: HostClock,
  fromNs: number,
  toNs: number,
  count: number,
  random: Prng,
): TripleColumns {
  for (const column of [before, between, after]) column.reserve(count);
  before.setBase(clock.rawZeroNs);
  between.setBase(UNIX_ZERO_NS);
  after.setBase(clock.rawZeroNs);
  const apartNs = (toNs - fromNs) / count;
  for (let i = 0; i < count; i++) {
    let widthNs = BRACKET_NS_MIN + random.exponential(BRACKET_NS_MORE);
    if (random.uniform() < INTERRUPTED_SHARE) widthNs += random.exponential(INTERRUPTED_NS);
    const endNs = fromNs + (i + 1) * apartNs - 100;
    const startNs = endNs - widthNs;
    before.set(i, clock.rawNsAt(startNs));
    between.set(i, clock.systemNsAt(startNs + widthNs * random.uniform()));
    after.set(i, clock.rawNsAt(endNs));
  }
  return {
    length: count,
    rawBeforeNs: before.column,
    systemNs: between.column,
    rawAfterNs: after.column,
  };
}
