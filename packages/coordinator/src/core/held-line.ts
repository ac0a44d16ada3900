/** The lines that hosts hold on their own: what a leadership that begins goes on from. */
import { DomainLine, type DomainSegment, FAR_PULL_LIMIT_PPB } from "@ttcs/discipline";
import { diffNs, type RawNanos, rawNanos, unixNanos } from "@ttcs/units";
import { hostRawAt } from "./correction.ts";
import type { Host } from "./host.ts";

/** Lines whose last segments began this far apart at most are equally young (ns): some rounds. */
const YOUNG_LINE_NS = 3e9;
/** Nobody is told of a rate that begins further ahead (ns): such a line was told by no coordinator. */
const AHEAD_NS = 3e9;
/** Lines of one domain differ by less, steered or not (ns): the best host's among these is taken. */
const AGREE_NS = 1_000;

/** Where domain time goes on, and by how much faster than its own pace (ppb). */
export interface HeldTime {
  readonly holder: Host;
  readonly segment: DomainSegment;
  readonly excessPpb: number;
}

/**
 * What most hosts hold: the line of the first of them that is with the middle of all young lines.
 *
 * A host that has started again holds the line that it had saved: whose is younger knows better. One host
 * alone cannot draw domain time away with a line of its own making.
 *
 * @param ranked hosts that may hold a line, best first
 * @returns undefined: nobody holds one
 */
export function heldByMost(
  ranked: readonly Host[],
  reference: Host,
  atRefRawNs: RawNanos,
): HeldTime | undefined {
  const aged = ranked
    .filter((h) => h.report?.line && h.track?.fix)
    .map((holder) => ({ holder, ageNs: lineAgeNs(holder, holder === reference, atRefRawNs) }))
    .filter(({ ageNs }) => ageNs >= -AHEAD_NS);
  const youngestNs = Math.max(0, Math.min(...aged.map(({ ageNs }) => ageNs)));
  const young = aged.filter(({ ageNs }) => ageNs <= youngestNs + YOUNG_LINE_NS);
  if (young.length === 0) return undefined;
  const held = young.map(({ holder }) => ({
    holder,
    segment: heldAt(holder, holder === reference, atRefRawNs),
    excessPpb: heldExcessPpb(holder),
  }));
  const baseNs = held[0].segment.domainUnixNs;
  const asideNs = held.map(
    ({ segment }) => Number(segment.domainUnixNs - baseNs) + segment.domainFractionNs,
  );
  const offNs = distanceFromMiddle(asideNs);
  const nearest = Math.min(...offNs);
  const chosen = held[offNs.findIndex((ns) => ns <= Math.max(AGREE_NS, nearest))];
  return {
    ...chosen,
    excessPpb: middleOf(
      held.map((h) => h.excessPpb),
      chosen.excessPpb,
    ),
  };
}

/** The two values in the middle; the same one twice where there is one. */
function middles(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
}

/** How far each value is from the middle one, or from between the middle two. */
function distanceFromMiddle(values: readonly number[]): number[] {
  const [low, high] = middles(values);
  return values.map((value) => Math.max(0, low - value, value - high));
}

/** The value, or what is nearest to it between the middle two. */
function middleOf(values: readonly number[], value: number): number {
  const [low, high] = middles(values);
  return Math.max(low, Math.min(high, value));
}

/** For how long the rate of a host's line has been in force (ns); negative: it is yet to begin. */
function lineAgeNs(holder: Host, isReference: boolean, atRefRawNs: RawNanos): number {
  return diffNs(hostRawAt(holder.track!, isReference, atRefRawNs), holder.report!.line!.rawNs);
}

/**
 * By how much the line that a host holds runs faster than the source's own pace (ppb). Taken for pace, a
 * pull would go on for as long as the source's rate passes for a slew, and another come on top of it.
 */
function heldExcessPpb(holder: Host): number {
  const excessPpb = holder.report!.lineExcessPpb;
  if (!Number.isFinite(excessPpb)) return 0;
  return Math.max(-FAR_PULL_LIMIT_PPB, Math.min(FAR_PULL_LIMIT_PPB, excessPpb));
}

/** Domain time on the reference's raw clock, by the line that a host holds on its own. */
function heldAt(holder: Host, isReference: boolean, atRefRawNs: RawNanos): DomainSegment {
  const line = holder.report!.line!;
  const track = holder.track!;
  const held = new DomainLine([
    {
      rawNs: rawNanos(line.rawNs),
      domainUnixNs: unixNanos(line.domainUnixNs),
      domainFractionNs: line.domainFractionNs,
      freqPpb: line.freqPpb,
    },
  ]);
  const at = held.at(hostRawAt(track, isReference, atRefRawNs));
  const atS = diffNs(atRefRawNs, track.referenceZeroNs) * 1e-9;
  const hostRate = isReference ? 1 : 1 + track.filter.predict(atS).freqPpb * 1e-9;
  return {
    rawNs: atRefRawNs,
    domainUnixNs: at.unixNs,
    domainFractionNs: at.fractionNs,
    freqPpb: ((1 + line.freqPpb * 1e-9) * hostRate - 1) * 1e9,
  };
}
