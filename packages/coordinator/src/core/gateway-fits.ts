/**
 * What a gateway edge says of two local references.
 *
 * Problem: a gateway edge compares the raw clocks of two hosts that are nobody's reference. Approach:
 * the track of either host carries the fit to its local reference's raw clock, at the instant that the
 * fit holds for; uncertainties and bounds of the tracks are added. So all gateways between two regions
 * speak of the same pair of clocks, and the regions are the hosts of a mesh of their own.
 *
 * It cannot see: an error that all hosts of a region share.
 */
import { diffNs, rawNanos, SECOND_NS } from "@ttcs/units";
import { fromLogPpb, logPpb } from "./alignment.ts";
import { type Place, referencePlaceAt } from "./correction.ts";
import type { MeshFit } from "./fits.ts";
import type { Host } from "./host.ts";

/** A track that was last fixed so long ago says nothing of the present (s). */
const TRACK_AGE_S_MAX = 3;

/** One end of a gateway edge, carried to the local reference. */
interface End {
  readonly place: Place;
  /** Rate of the host's raw clock against the local reference's, minus one (ppb). */
  readonly freqPpb: number;
  readonly sigmaNs: number;
  readonly boundNs: number;
}

/** The fit as one of the local references; undefined: an end's clock is not known. */
export function carryToReferences(
  fit: MeshFit,
  owner: Host,
  ownerReference: Host,
  other: Host,
  otherReference: Host,
): MeshFit | undefined {
  const wholeNs = Math.floor(fit.midNs);
  const here = carry(owner, ownerReference, {
    rawNs: rawNanos(fit.ownerBaseRawNs + BigInt(wholeNs)),
    restNs: fit.midNs - wholeNs,
  });
  const thereNs = fit.midNs + fit.offsetNs;
  const thereWholeNs = Math.floor(thereNs);
  const there = carry(other, otherReference, {
    rawNs: rawNanos(fit.otherBaseRawNs + BigInt(thereWholeNs)),
    restNs: thereNs - thereWholeNs,
  });
  if (!here || !there) return undefined;
  const sigmaNs = Math.hypot(here.sigmaNs, there.sigmaNs);
  const carriesNs = Math.hypot(fit.ownerCarrySigmaNs, fit.otherCarrySigmaNs);
  const bothNs = here.boundNs + there.boundNs;
  return {
    ...fit,
    owner: ownerReference.number,
    other: otherReference.number,
    ownerBaseRawNs: here.place.rawNs,
    otherBaseRawNs: there.place.rawNs,
    midNs: here.place.restNs,
    offsetNs: there.place.restNs - here.place.restNs,
    freqPpb: fromLogPpb(logPpb(fit.freqPpb) + logPpb(here.freqPpb) - logPpb(there.freqPpb)),
    // The carries of the ends' stamps are of this edge alone here.
    offsetSigmaNs: Math.hypot(fit.offsetSigmaNs, sigmaNs, carriesNs),
    ownerCarrySigmaNs: 0,
    otherCarrySigmaNs: 0,
    belowBoundNs: fit.belowBoundNs + bothNs,
    aboveBoundNs: fit.aboveBoundNs + bothNs,
  };
}

function carry(host: Host, reference: Host, place: Place): End | undefined {
  const { track } = host;
  if (!track?.fix) return undefined;
  if (host === reference) return { place, freqPpb: 0, sigmaNs: 0, boundNs: 0 };
  const there = referencePlaceAt(track, place);
  const { atRefRawNs, boundNs, slowSigmaNs } = track.fix;
  if (Math.abs(diffNs(there.rawNs, atRefRawNs)) > TRACK_AGE_S_MAX * SECOND_NS) return undefined;
  const { freqPpb, offsetSigmaNs } = track.filter.predict(
    diffNs(there.rawNs, track.referenceZeroNs) * 1e-9,
  );
  return { place: there, freqPpb, sigmaNs: Math.hypot(offsetSigmaNs, slowSigmaNs), boundNs };
}
