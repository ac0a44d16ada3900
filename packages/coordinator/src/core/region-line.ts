/**
 * The line of a region that follows another one: where it begins, and what each round makes of it.
 *
 * It begins on domain time by the link, at the domain's rate; then each round decides its next rate
 * (`region-follow.ts`) and notes how far it lies from the domain's.
 */
import { DomainLine, type DomainSegment } from "@ttcs/discipline";
import { addNs, diffNs, FIT_AGE_NS, type RawNanos } from "@ttcs/units";
import { referencePlaceAt } from "./correction.ts";
import type { DomainScale } from "./domain-scale.ts";
import type { Host, Track } from "./host.ts";
import type { LastRest, Region } from "./region.ts";
import { followPpb, restAt } from "./region-follow.ts";

/** Domain time on the raw clock of the reference that carries it. */
export interface Domain {
  readonly reference: Host;
  readonly scale: DomainScale;
}

/** The domain reference's raw clock when a local reference's shows `rawNs`, by its link (ns). */
export const domainRawAt = (link: Track, rawNs: RawNanos): RawNanos =>
  referencePlaceAt(link, { rawNs, restNs: 0 }).rawNs;

/** An instant of the domain reference's raw clock on a link's own axis (s). */
export const secondsOf = (track: Track, refRawNs: RawNanos): number =>
  diffNs(refRawNs, track.referenceZeroNs) * 1e-9;

/** Where a line on the local reference's raw clock begins, on domain time by the link. */
export function lineBeginning(
  link: Track,
  domain: DomainLine,
  domainRawNs: RawNanos,
  localRawNs: RawNanos,
): DomainSegment {
  const flat = {
    rawNs: localRawNs,
    domainUnixNs: domain.at(domainRawNs).unixNs,
    domainFractionNs: 0,
    freqPpb: 0,
  };
  const { ns, domainPpb } = restAt(link, domain, new DomainLine([flat]), localRawNs);
  return { ...flat, domainUnixNs: addNs(flat.domainUnixNs, ns), freqPpb: domainPpb };
}

/** Decides the rate ahead of a region's line. Call after the domain's has been. */
export function followDomain(region: Region, domain: DomainLine): void {
  const { link, leadership, result } = region;
  const { scale } = leadership;
  if (!link || !result || !scale) return;
  const { track } = link;
  const closeRawNs = addNs(result.atRefRawNs, FIT_AGE_NS);
  const atS = secondsOf(track, domainRawAt(track, result.atRefRawNs));
  const { offsetSigmaNs, freqSigmaPpb } = track.filter.predict(atS);
  const sigmaNs = Math.hypot(offsetSigmaNs, track.fix?.slowSigmaNs ?? 0);
  scale.follow(closeRawNs, (startRawNs, nowPpb) =>
    followPpb(restAt(track, domain, scale.line(), startRawNs), sigmaNs, nowPpb),
  );
  const { ns, ratePpb } = restAt(track, domain, scale.line(), result.atRefRawNs);
  region.rest = { ns, ratePpb, sigmaNs, freqSigmaPpb, boundNs: track.fix?.boundNs ?? 0 };
}

/**
 * Another region leads: what was known of lines against the old leader's is known against its own.
 *
 * @param its what the new leader's line was known by, against the old one's
 */
export function restsAgainst(
  region: Region,
  its: LastRest,
  before: Region | undefined,
  all: Iterable<Region>,
): void {
  for (const other of all) {
    if (other === region) continue;
    const old = other === before ? undefined : other.rest;
    if (other !== before && !old) continue;
    other.rest = {
      ns: (old?.ns ?? 0) - its.ns,
      ratePpb: (old?.ratePpb ?? 0) - its.ratePpb,
      sigmaNs: Math.hypot(old?.sigmaNs ?? 0, its.sigmaNs),
      freqSigmaPpb: Math.hypot(old?.freqSigmaPpb ?? 0, its.freqSigmaPpb),
      boundNs: (old?.boundNs ?? 0) + its.boundNs,
    };
  }
}
