/** The lines that hosts hold on their own: what a leadership that begins goes on from. */
import { DomainLine, type DomainSegment, FAR_PULL_LIMIT_PPB } from "@ttcs/discipline";
import { diffNs, type RawNanos, rawNanos, unixNanos } from "@ttcs/units";
import { hostRawAt } from "./correction.ts";
import type { Host } from "./host.ts";

/** For how long the rate of a host's line has been in force (ns); negative: it is yet to begin. */
export function lineAgeNs(holder: Host, isReference: boolean, atRefRawNs: RawNanos): number {
  return diffNs(hostRawAt(holder.track!, isReference, atRefRawNs), holder.report!.line!.rawNs);
}

/**
 * By how much the line that a host holds runs faster than the source's own pace (ppb). Taken for pace, a
 * pull would go on for as long as the source's rate passes for a slew, and another come on top of it.
 */
export function heldExcessPpb(holder: Host): number {
  const excessPpb = holder.report!.lineExcessPpb;
  if (!Number.isFinite(excessPpb)) return 0;
  return Math.max(-FAR_PULL_LIMIT_PPB, Math.min(FAR_PULL_LIMIT_PPB, excessPpb));
}

/** Domain time on the reference's raw clock, by the line that a host holds on its own. */
export function heldAt(holder: Host, isReference: boolean, atRefRawNs: RawNanos): DomainSegment {
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
