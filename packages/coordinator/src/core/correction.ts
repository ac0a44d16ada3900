/**
 * Composes what a host is told: domain time on its own raw clock.
 *
 * The host's track gives its raw clock as a function of the reference's, the domain scale gives
 * domain time as a function of the reference's; the one after the inverse of the other is a
 * piecewise line with a knot wherever the domain's rate changes. The track is laid as a tangent at
 * the instant at which the correction will be in the middle of its use.
 */
import type { DomainSegment } from "@ttcs/discipline";
import { addNs, diffNs, FIT_AGE_NS, type RawNanos, rawNanos, SECOND_NS } from "@ttcs/units";
import type { DomainScale } from "./domain-scale.ts";
import type { Track } from "./host.ts";

/**
 * From the instant of a solve to the middle of the correction's use (s): to the window's close, the
 * way to the host, and half of the second in which it steers.
 */
export const LEAD_S = FIT_AGE_NS / SECOND_NS + 0.25 + 0.5;

/** The segments of domain time on the raw clock of the host with this track. */
export function composeSegments(
  track: Track,
  isReference: boolean,
  scale: DomainScale,
  fromRefRawNs: RawNanos,
): DomainSegment[] {
  const knots = scale.segmentsFrom(fromRefRawNs);
  if (isReference) return knots;
  const tangent = tangentOf(track, fromRefRawNs);
  return knots.map((knot) => onHost(knot, tangent));
}

/** The host's raw clock at an instant of the reference's (whole ns). */
export function hostRawAt(track: Track, isReference: boolean, refRawNs: RawNanos): RawNanos {
  if (isReference) return refRawNs;
  const { rawNs, restNs } = place(tangentOf(track, refRawNs), refRawNs);
  return addNs(rawNs, restNs);
}

interface Tangent {
  readonly track: Track;
  /** Offset and rate of the host at `atRefRawNs`. */
  readonly atRefRawNs: RawNanos;
  readonly offsetNs: number;
  readonly freqPpb: number;
}

function tangentOf(track: Track, fromRefRawNs: RawNanos): Tangent {
  const atRefRawNs = addNs(fromRefRawNs, LEAD_S * 1e9);
  const estimate = track.filter.predict(diffNs(atRefRawNs, track.referenceZeroNs) * 1e-9);
  return { track, atRefRawNs, offsetNs: estimate.offsetNs, freqPpb: estimate.freqPpb };
}

/** The host's raw clock at an instant of the reference's: whole part and rest (0 to 1 ns). */
function place(t: Tangent, refRawNs: RawNanos): { rawNs: RawNanos; restNs: number } {
  const offsetNs = t.offsetNs + t.freqPpb * 1e-9 * diffNs(refRawNs, t.atRefRawNs);
  const wholeNs = Math.floor(offsetNs);
  const rawNs = t.track.hostZeroNs + (refRawNs - t.track.referenceZeroNs) + BigInt(wholeNs);
  return { rawNs: rawNanos(rawNs), restNs: offsetNs - wholeNs };
}

function onHost(knot: DomainSegment, tangent: Tangent): DomainSegment {
  const { rawNs, restNs } = place(tangent, knot.rawNs);
  const rate = (1 + knot.freqPpb * 1e-9) / (1 + tangent.freqPpb * 1e-9);
  // The knot lies `restNs` after the whole nanosecond: go back along the line.
  const fractionNs = knot.domainFractionNs - restNs * rate;
  const wholeNs = Math.floor(fractionNs);
  return {
    rawNs,
    domainUnixNs: addNs(knot.domainUnixNs, wholeNs),
    domainFractionNs: fractionNs - wholeNs,
    freqPpb: (rate - 1) * 1e9,
  };
}
