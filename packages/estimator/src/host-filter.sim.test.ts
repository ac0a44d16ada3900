/**
 * The filter on simulated crystals, beside one Kalman filter of fixed wander (1 ppb per square root of
 * s, 1 ppb/s per square root of s) that gets the same measurements.
 *
 * Clock: random walk of frequency, with or without a swing of 1 ppm in an hour, with or without
 * ramps of 50 ppb/s for 20 s that set in and end at once, four seeds, 240 s. Each half second brings
 * the mean offset of that half second, with an error of its own.
 */
import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import { HostFilter, type HostFilterOptions } from "./host-filter.ts";

const STEP_S = 0.05;
const STEPS_PER_BLOCK = 10;
const LENGTH_S = 240;
const SETTLED_S = 20;
/** From the middle of a half second to the instant at which its estimate is used (s). */
const AGE_S = 0.35;
const fixed = { freqWanderPpbPerSqrtS: 1, freqRateWanderPpbPerSPerSqrtS: 1 };

type Course = "swing" | "ramps";

/** Offsets of a clock (ns) every `STEP_S`. */
function clock(seed: number, wander: number, course: Course): Float64Array {
  const random = new Prng(seed);
  const offsets = new Float64Array(LENGTH_S / STEP_S + 1);
  let walkPpb = 0;
  for (let i = 1; i < offsets.length; i++) {
    const s = i * STEP_S;
    walkPpb += wander * Math.sqrt(STEP_S) * random.normal();
    const freqPpb =
      course === "swing" ? 1000 * Math.sin((2 * Math.PI * s) / 3600) : rampPpb(s % 80);
    offsets[i] = offsets[i - 1] + (walkPpb + freqPpb) * STEP_S;
  }
  return offsets;
}

/** 20 s of rest, 20 s up, 20 s of rest, 20 s down. */
function rampPpb(s: number): number {
  if (s < 20) return 0;
  if (s < 40) return 50 * (s - 20);
  return s < 60 ? 1000 : 1000 - 50 * (s - 60);
}

/** RMS error of the prediction (ns), and of error over the sigma told. */
function follow(
  wander: number,
  course: Course,
  sigmaNs: number,
  missingShare = 0,
  options: HostFilterOptions = {},
) {
  let errorSquares = 0;
  let sigmaSquares = 0;
  let count = 0;
  let rejected = 0;
  for (let seed = 100; seed < 104; seed++) {
    const offsets = clock(seed, wander, course);
    const random = new Prng(seed + 800);
    const filter = new HostFilter(options);
    for (let k = 0; (k + 1) / 2 + 1 <= LENGTH_S; k++) {
      const slice = offsets.subarray(k * STEPS_PER_BLOCK, (k + 1) * STEPS_PER_BLOCK + 1);
      const ends = (slice[0] + slice[STEPS_PER_BLOCK]) / 2;
      const sum = slice.reduce((total, offset) => total + offset, 0);
      const seen = (sum - ends) / STEPS_PER_BLOCK + sigmaNs * random.normal();
      if (missingShare > 0 && random.uniform() < missingShare) continue;
      const atS = (k + 0.5) / 2;
      if (!filter.update(atS, seen, sigmaNs).accepted) rejected++;
      if (atS < SETTLED_S) continue;
      const now = filter.predict(atS + AGE_S);
      const errorNs = now.offsetNs - offsets[Math.round((atS + AGE_S) / STEP_S)];
      errorSquares += errorNs ** 2;
      sigmaSquares += (errorNs / now.offsetSigmaNs) ** 2;
      count++;
    }
  }
  return {
    rmsNs: Math.sqrt(errorSquares / count),
    calibration: Math.sqrt(sigmaSquares / count),
    rejected,
  };
}

describe("HostFilter on simulated crystals", () => {
  it.each<[Course, number, number]>([
    ["swing", 1, 2],
    ["swing", 1, 10],
    ["swing", 1, 50],
    ["swing", 10, 2],
    ["swing", 10, 10],
    ["swing", 10, 50],
    ["ramps", 1, 2],
    ["ramps", 1, 10],
    ["ramps", 1, 50],
    ["ramps", 10, 2],
    ["ramps", 10, 10],
    ["ramps", 10, 50],
  ])("%s, walk %i ppb, measurements of %i ns", (course, wander, sigmaNs) => {
    const { rmsNs, calibration, rejected } = follow(wander, course, sigmaNs);
    const one = follow(wander, course, sigmaNs, 0, fixed);
    console.log(
      `filter, ${course}, walk ${wander}, sigma ${sigmaNs}: RMS ${rmsNs.toFixed(1)} ns`,
      `(fixed ${one.rmsNs.toFixed(1)}), error over sigma ${calibration.toFixed(2)}`,
      `(fixed ${one.calibration.toFixed(2)})`,
    );
    expect(rmsNs).toBeLessThan(1.1 * one.rmsNs);
    expect(calibration).toBeGreaterThan(0.75);
    expect(calibration).toBeLessThan(1.3);
    expect(rejected).toBe(0);
  });

  it.each<[Course, number]>([
    ["swing", 1],
    ["swing", 10],
    ["ramps", 1],
  ])("%s, walk %i ppb: tells its sigma when four of ten rounds are missing", (course, wander) => {
    const { rmsNs, calibration, rejected } = follow(wander, course, 10, 0.4);
    console.log(
      `filter, ${course}, walk ${wander}, 40 % missing: RMS ${rmsNs.toFixed(1)} ns,`,
      `error over sigma ${calibration.toFixed(2)}`,
    );
    expect(calibration).toBeGreaterThan(0.75);
    expect(calibration).toBeLessThan(1.4);
    expect(rejected).toBe(0);
  });
});
