/**
 * Composes what a host is told: domain time on its own raw clock.
 *
 * The host's track gives its raw clock as a function of the reference's, the domain scale gives
 * domain time as a function of the reference's; the one after the inverse of the other is a
 * piecewise line with a knot wherever the domain's rate changes. While temperature changes the track is
 * a parabola: over the time in which the correction is used it is followed by chords from knot to
 * knot; what comes after the last knot is the tangent of `LEAD_S`.
 */
import { DomainLine, type DomainSegment } from "@ttcs/discipline";
import { addNs, diffNs, FIT_AGE_NS, type RawNanos, rawNanos, SECOND_NS } from "@ttcs/units";
import type { DomainScale } from "./domain-scale.ts";
import type { Track } from "./host.ts";

/**
 * From the instant of a solve to the middle of the correction's use (s): to the window's close, the
 * way to the host, and half of the second in which it steers.
 */
export const LEAD_S = FIT_AGE_NS / SECOND_NS + 0.25 + 0.5;
/**
 * Distance of the knots on the track, up to the domain's last (ns): a chord of half a second misses a
 * frequency that changes by 50 ppb/s by 1.6 ns. The last knot stays the domain's: by it agents know
 * how long its rate has been announced for.
 */
const CHORD_NS = SECOND_NS / 2;

/** Turns by which a track is inverted: a clock is 1e-4 off at the most, its track 1e5 s old. */
const INVERSE_TURNS = 5;

/** Domain time from the instant of a solve on: the same for all hosts of the round. */
export class RoundKnots {
  readonly fromRefRawNs: RawNanos;
  /** As the domain decided them. */
  readonly knots: readonly DomainSegment[];
  #dense: readonly DomainSegment[] | undefined;

  constructor(scale: DomainScale, fromRefRawNs: RawNanos) {
    this.fromRefRawNs = fromRefRawNs;
    this.knots = scale.segmentsFrom(fromRefRawNs);
  }

  /** With a knot for each end of a chord. */
  get dense(): readonly DomainSegment[] {
    this.#dense ??= withChords(this.knots, this.fromRefRawNs);
    return this.#dense;
  }
}

/** The segments of domain time on the raw clock of the host with this track. */
export function composeSegments(
  track: Track,
  isReference: boolean,
  round: RoundKnots,
): readonly DomainSegment[] {
  const { knots, fromRefRawNs } = round;
  if (isReference) return knots;
  const touchRawNs = addNs(fromRefRawNs, LEAD_S * 1e9);
  const tangentPpb = predict(track, touchRawNs).freqPpb;
  // A line without a knot in this time is the tangent alone.
  if (knots[0].rawNs < fromRefRawNs && knots.length === 1) {
    const sinceNs = diffNs(knots[0].rawNs, touchRawNs);
    const place = placeAt(track, touchRawNs, sinceNs + sinceNs * tangentPpb * 1e-9);
    return [onHost(knots[0], place, tangentPpb)];
  }
  const { dense } = round;
  const places = dense.map((knot) => placeAt(track, knot.rawNs));
  return dense.map((knot, i) => {
    const next = i + 1 < dense.length ? dense[i + 1].rawNs : undefined;
    const freqPpb = next ? chordPpb(places[i], places[i + 1], next - knot.rawNs) : tangentPpb;
    return onHost(knot, places[i], freqPpb);
  });
}

/** The same line with a knot at `fromRefRawNs` and every `CHORD_NS` after it, up to its last. */
function withChords(knots: readonly DomainSegment[], fromRefRawNs: RawNanos): DomainSegment[] {
  const line = new DomainLine(knots);
  const out = [...knots];
  // A track is known up to a while before the solve; carried further back it is a guess.
  if (knots[0].rawNs < fromRefRawNs) out.shift();
  for (let rawNs = fromRefRawNs; rawNs < line.last.rawNs; rawNs = addNs(rawNs, CHORD_NS)) {
    if (knots.some((knot) => knot.rawNs === rawNs)) continue;
    const at = line.at(rawNs);
    // The segment that holds there: the last one that has begun, or the first, carried backwards.
    const held = knots.findLast((knot) => knot.rawNs <= rawNs) ?? knots[0];
    out.push({
      rawNs,
      domainUnixNs: at.unixNs,
      domainFractionNs: at.fractionNs,
      freqPpb: held.freqPpb,
    });
  }
  return out.sort((a, b) => (a.rawNs < b.rawNs ? -1 : 1));
}

/** The host's raw clock at an instant of the reference's (whole ns). */
export function hostRawAt(track: Track, isReference: boolean, refRawNs: RawNanos): RawNanos {
  if (isReference) return refRawNs;
  const { rawNs, restNs } = placeAt(track, refRawNs);
  return addNs(rawNs, restNs);
}

/** An instant on a host's raw clock: whole part and rest (0 to 1 ns). */
export interface Place {
  readonly rawNs: RawNanos;
  readonly restNs: number;
}

const predict = (track: Track, refRawNs: RawNanos) =>
  track.filter.predict(diffNs(refRawNs, track.referenceZeroNs) * 1e-9);

/** Where the host's raw clock is at an instant of the reference's, and `awayNs` of its own later. */
export function placeAt(track: Track, refRawNs: RawNanos, awayNs = 0): Place {
  const offsetNs = predict(track, refRawNs).offsetNs + awayNs;
  const wholeNs = Math.floor(offsetNs);
  const rawNs = track.hostZeroNs + (refRawNs - track.referenceZeroNs) + BigInt(wholeNs);
  return { rawNs: rawNanos(rawNs), restNs: offsetNs - wholeNs };
}

/** The inverse of `placeAt`: the reference's raw clock when the host's is at `place`. */
export function referencePlaceAt(track: Track, place: Place): Place {
  const sinceZeroNs = Number(place.rawNs - track.hostZeroNs) + place.restNs;
  // offset = o(t) with t = since - offset: each turn is 1e5 times nearer.
  let offsetNs = 0;
  for (let turn = 0; turn < INVERSE_TURNS; turn++) {
    offsetNs = track.filter.predict((sinceZeroNs - offsetNs) * 1e-9).offsetNs;
  }
  const awayNs = place.restNs - offsetNs;
  const wholeNs = Math.floor(awayNs);
  const rawNs = place.rawNs - track.hostZeroNs + track.referenceZeroNs + BigInt(wholeNs);
  return { rawNs: rawNanos(rawNs), restNs: awayNs - wholeNs };
}

/** Rate of the host's raw clock against the reference's between two places, minus one (ppb). */
function chordPpb(from: Place, to: Place, refNs: bigint): number {
  return ((Number(to.rawNs - from.rawNs - refNs) + to.restNs - from.restNs) / Number(refNs)) * 1e9;
}

function onHost(knot: DomainSegment, { rawNs, restNs }: Place, hostPpb: number): DomainSegment {
  const rate = (1 + knot.freqPpb * 1e-9) / (1 + hostPpb * 1e-9);
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
