import { DomainLine } from "@ttcs/discipline";
import { HostFilter } from "@ttcs/estimator";
import { addNs, type RawNanos, rawNanos, unixNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { composeSegments, RoundKnots } from "./correction.ts";
import { DomainScale } from "./domain-scale.ts";
import type { Track } from "./host.ts";

const REF_ZERO = rawNanos(7_000_000_000_000n);
const HOST_ZERO = rawNanos(3_000_000_000_000n);
const UNIX_ZERO = unixNanos(1_795_305_600_000_000_000n);
const AT_S = 60;

/** A host whose frequency has changed by `ratePpbPerS` for a minute. */
function rampingTrack(ratePpbPerS: number): Track {
  const filter = new HostFilter();
  for (let s = 0; s <= AT_S; s += 0.5) {
    filter.update(s, 8_000 * s + 0.5 * ratePpbPerS * s * s, 5, 8_000 + ratePpbPerS * s, 50);
  }
  return { hostZeroNs: HOST_ZERO, referenceZeroNs: REF_ZERO, filter, fix: undefined };
}

/** Domain time on the reference: announced for another 1.2 s, with a change of rate in half a second. */
function scale(): DomainScale {
  const segment = (sinceS: number, aheadNs: number, freqPpb: number) => ({
    rawNs: addNs(REF_ZERO, sinceS * 1e9),
    domainUnixNs: addNs(UNIX_ZERO, sinceS * 1e9 + aheadNs),
    domainFractionNs: 0.25,
    freqPpb,
  });
  const [a, b, c] = [AT_S - 2, AT_S + 0.55, AT_S + 1.2];
  return new DomainScale([segment(a, 0, 20), segment(b, 51, 40), segment(c, 77, 60)]);
}

/** Domain time by the host's line minus that by the reference's, so long after the solve (ns). */
function errorNs(track: Track, line: DomainLine, ageS: number): number {
  const refRawNs = addNs(REF_ZERO, (AT_S + ageS) * 1e9);
  const { offsetNs } = track.filter.predict(AT_S + ageS);
  const wholeNs = Math.floor(offsetNs);
  const hostRawNs = (HOST_ZERO + (refRawNs - REF_ZERO) + BigInt(wholeNs)) as RawNanos;
  const told = line.at(hostRawNs);
  const truth = scale().line().at(refRawNs);
  const restNs = told.fractionNs + (offsetNs - wholeNs) - truth.fractionNs;
  return Number(told.unixNs - truth.unixNs) + restNs;
}

test("a host's line follows a frequency that changes, and ends where the domain's ends", () => {
  const track = rampingTrack(50);
  const from = addNs(REF_ZERO, AT_S * 1e9);
  const line = new DomainLine(composeSegments(track, false, new RoundKnots(scale(), from)));
  for (let ageS = 0; ageS <= 1.2; ageS += 0.05) {
    // A chord of half a second misses 50 ppb/s by 1.6 ns; its ends are whole nanoseconds exactly.
    expect(Math.abs(errorNs(track, line, ageS)), `after ${ageS} s`).toBeLessThan(2.5);
  }
  expect(Math.abs(errorNs(track, line, 2))).toBeLessThan(60);
  const lastNs = track.filter.predict(AT_S + 1.2).offsetNs;
  expect(Number(line.last.rawNs - HOST_ZERO)).toBeCloseTo((AT_S + 1.2) * 1e9 + lastNs, -1);
});

test("a reference is told the domain's own segments", () => {
  const from = addNs(REF_ZERO, AT_S * 1e9);
  const round = new RoundKnots(scale(), from);
  expect(composeSegments(rampingTrack(0), true, round)).toEqual(scale().segmentsFrom(from));
});

test("a domain whose rate was announced no further than the solve still has a line", () => {
  const track = rampingTrack(50);
  const from = addNs(REF_ZERO, (AT_S + 3) * 1e9);
  const line = new DomainLine(composeSegments(track, false, new RoundKnots(scale(), from)));
  expect(line.segments.length).toBe(1);
  expect(Math.abs(errorNs(track, line, 3))).toBeLessThan(60);
});
