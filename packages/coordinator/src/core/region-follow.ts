/**
 * How a region's time follows the domain's.
 *
 * Problem: what gateways tell of domain time carries the noise of a long path, microseconds where the
 * region's own hosts agree to nanoseconds. Approach: the region has a line of its own on its local
 * reference's raw clock, which all its hosts are told alike and before it begins, and only the rate of
 * that line follows the domain:
 *
 *     rate = domain's rate + rest / T,   changed by 50 ppb a round at the most
 *
 * with rest = domain - region where the setting begins, and T = 0.75 s where the link is known to
 * nanoseconds, 20 s where it is known to 600 ns or worse. That rest holds all that was decided before, so
 * that a short T does not swing; over a long one an error of the link's rate, 5 to 10 ppb, adds up.
 * A larger rest is removed under uniform braking, v^2 = v0^2 + 2 a (rest - near), so that the rate can
 * always be taken back in time; beyond 10 us, as after the start, it may change by 100 ppb a round.
 *
 * Domain time bends by 25 ppb a round and is known two rounds ahead. Who follows bends twice as fast and
 * decides one round ahead: the later, the less of two crystals' wander is unforeseen. A host that hears
 * of a round's setting only with the next is 25 ns off for that long.
 */
import { type DomainLine, FOLLOWING_FREQ_RATE_PPB_PER_S } from "@ttcs/discipline";
import { diffNs, type RawNanos, ROUND_NS, SECOND_NS } from "@ttcs/units";
import { referencePlaceAt } from "./correction.ts";
import type { Track } from "./host.ts";

/** Time constant of what is left (s), and the link's sigma from which on it is the long one (ns). */
const FOLLOW_TIME_S_MIN = 0.75;
const FOLLOW_TIME_S_MAX = 20;
const SURE_NS = 600;
/** The rate changes by at most this a round (ppb), and where more than `FAR_NS` is left. */
const STEP_PPB = 50;
const FAR_STEP_PPB = (FOLLOWING_FREQ_RATE_PPB_PER_S * ROUND_NS) / SECOND_NS;
const FAR_NS = 10_000;
/** A region runs off the domain's rate by at most this (ppb). */
const RATE_LIMIT_PPB = 10_000;
/** Of the possible deceleration the braking plans with this share: the rate changes in steps, and late. */
const BRAKING_SHARE = 0.8;

/** Where the domain's line lies against the region's at one instant. */
export interface Rest {
  /** Domain minus region (ns). */
  readonly ns: number;
  /** What the domain gains on the region per second at the region's present rate (ppb). */
  readonly ratePpb: number;
  /** Rate of domain time on the local reference's raw clock, minus one (ppb). */
  readonly domainPpb: number;
}

/**
 * The domain's line against the region's.
 *
 * @param link the local reference's raw clock against the domain reference's
 * @param atRawNs instant on the local reference's raw clock
 */
export function restAt(
  link: Track,
  domain: DomainLine,
  region: DomainLine,
  atRawNs: RawNanos,
): Rest {
  const there = referencePlaceAt(link, { rawNs: atRawNs, restNs: 0 });
  const shown = domain.at(there.rawNs);
  const own = region.at(atRawNs);
  const ns = Number(shown.unixNs - own.unixNs) + shown.fractionNs + there.restNs - own.fractionNs;
  const { freqPpb } = link.filter.predict(diffNs(there.rawNs, link.referenceZeroNs) * 1e-9);
  // Of the coming round: its rate may begin a few ns after this instant.
  const pacePpb = domain.meanFreqPpb(there.rawNs, ROUND_NS);
  const domainPpb = ((1 + pacePpb * 1e-9) / (1 + freqPpb * 1e-9) - 1) * 1e9;
  return { ns, ratePpb: domainPpb - rateAt(region, atRawNs) * 1e9, domainPpb };
}

/** Rate of a line against its raw clock at an instant, minus one. */
export function rateAt(line: DomainLine, rawNs: RawNanos): number {
  const held = line.segments.findLast((s) => s.rawNs <= rawNs) ?? line.segments[0];
  return held.freqPpb * 1e-9;
}

/**
 * The region's next rate (ppb), when it was `nowPpb` before.
 *
 * @param sigmaNs standard uncertainty of the rest
 */
export function followPpb({ ns, domainPpb }: Rest, sigmaNs: number, nowPpb: number): number {
  const stepPpb = Math.abs(ns) > FAR_NS ? FAR_STEP_PPB : STEP_PPB;
  const wantedPpb = domainPpb + Math.sign(ns) * pullPpb(Math.abs(ns), sigmaNs);
  return nowPpb + Math.max(-stepPpb, Math.min(stepPpb, wantedPpb - nowPpb));
}

/** How fast to remove what is left (ppb). */
function pullPpb(restNs: number, sigmaNs: number): number {
  const spanS = FOLLOW_TIME_S_MAX - FOLLOW_TIME_S_MIN;
  const timeS = FOLLOW_TIME_S_MIN + spanS * Math.min(1, sigmaNs / SURE_NS);
  const brakingPerS = (2 * BRAKING_SHARE * SECOND_NS) / ROUND_NS;
  // Up to here, rest / T asks for no faster a change than braking has.
  const nearNs = Math.min(FAR_NS, (brakingPerS / 2) * STEP_PPB * timeS * timeS);
  const linearPpb = Math.min(restNs, nearNs) / timeS;
  const brakingNs =
    STEP_PPB * Math.max(0, Math.min(restNs, FAR_NS) - nearNs) +
    FAR_STEP_PPB * Math.max(0, restNs - FAR_NS);
  return Math.min(RATE_LIMIT_PPB, Math.sqrt(linearPpb ** 2 + brakingPerS * brakingNs));
}
