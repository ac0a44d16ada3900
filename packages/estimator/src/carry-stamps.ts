/**
 * Converts stamps between the system clock and the raw clock, by the pieces of a carry's line.
 *
 * Problem: a batch of stamps spans several pieces, and in the gap between two nobody knows where the
 * clock was. Approach: newest piece first, because a batch is mostly young; each piece settles the
 * stamps from its gap on, and those in a gap are settled as lost. Whole batches at once and in numbers
 * relative to a piece's zeros: there are thousands of stamps a second.
 *
 * It cannot see: a stamp that a step backwards made ambiguous. Of two pieces that show the same system
 * time the newer one is taken.
 */
import { assert, diffNs, relativeTo, SECOND_NS } from "@ttcs/units";
import type { CarryRing } from "./carry-ring.ts";
import { grown } from "./quantile.ts";

/** The system clock at a raw instant: `systemNs + fractionNs`, with its uncertainty. */
export interface SystemInstant {
  /** Whole nanoseconds (Unix ns). */
  systemNs: bigint;
  /** The rest, 0 up to 1 ns. */
  fractionNs: number;
  sigmaNs: number;
  boundNs: number;
}

// Reused by all carries: stamps relative to a piece, and which of them are settled.
let relativeNs: Float64Array = new Float64Array(0);
let settledStamps = new Uint8Array(0);

/**
 * Raw instants of stamps of the system clock, in ns from `baseRawNs` with their fractions.
 *
 * NaN where a stamp cannot be carried: in a gap, before the oldest piece, or more than 0.3 s from
 * triples. Allocates only when `count` grows.
 *
 * @returns how many were carried.
 */
export function systemToRaw(
  ring: CarryRing,
  systemNs: BigInt64Array,
  count: number,
  baseRawNs: bigint,
  out: Float64Array,
): number {
  assert(systemNs.length >= count && out.length >= count, "columns hold the counted stamps");
  relativeNs = grown(relativeNs, count);
  if (settledStamps.length < count) settledStamps = new Uint8Array(relativeNs.length);
  const [stamps, settled] = [relativeNs, settledStamps];
  out.fill(Number.NaN, 0, count);
  settled.fill(0, 0, count);
  let carried = 0;
  let open = count;
  for (let back = 0; back < ring.length && open > 0; back++) {
    const segment = ring.at(back);
    if (!segment.usable) continue;
    relativeTo(segment.originSystemNs, systemNs, count, stamps);
    const shiftNs = diffNs(segment.originRawNs, baseRawNs);
    const perRate = 1 / (1 + segment.slopePpb / SECOND_NS);
    const gapNs = segment.gapS * SECOND_NS;
    const startNs = segment.startS * SECOND_NS;
    const endNs = segment.endS * SECOND_NS;
    for (let i = 0; i < count; i++) {
      if (settled[i] === 1) continue;
      const rawNs = (stamps[i] - segment.valueNs) * perRate;
      if (rawNs < gapNs || rawNs > endNs) continue;
      settled[i] = 1;
      open--;
      // In the gap it is settled too: an older piece must not claim it after a step backwards.
      if (rawNs < startNs) continue;
      out[i] = shiftNs + rawNs;
      carried++;
    }
  }
  return carried;
}

/** The system clock at a raw instant; undefined in gaps and away from triples. */
export function systemAt(ring: CarryRing, rawNs: bigint): SystemInstant | undefined {
  for (let back = 0; back < ring.length; back++) {
    const segment = ring.at(back);
    const sinceNs = diffNs(rawNs, segment.originRawNs);
    const xS = sinceNs / SECOND_NS;
    if (xS < segment.gapS) continue;
    if (!segment.usable || xS < segment.startS || xS > segment.endS) return undefined;
    const y = segment.valueAt(xS);
    const whole = Math.floor(y);
    return {
      systemNs: segment.originSystemNs + (rawNs - segment.originRawNs) + BigInt(whole),
      fractionNs: y - whole,
      sigmaNs: segment.sigmaAt(xS),
      boundNs: segment.boundAt(xS),
    };
  }
  return undefined;
}
