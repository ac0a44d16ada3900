/**
 * The filter on simulated crystals, beside what one filter of fixed wander did (variances times four
 * for the overlap of windows; 1 ppb per square root of s and 1 ppb/s per square root of s).
 *
 * Clock: random walk of frequency, with or without a swing of 1 ppm in an hour, with or without
 * ramps of 50 ppb/s for 20 s that set in and end at once, four seeds, 240 s. A window is the line
 * through the means of its four half seconds, each of which has its own error, so that neighbours
 * share three of four.
 */
import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import { HostFilter } from "./host-filter.ts";

const STEP_S = 0.05;
const STEPS_PER_BLOCK = 10;
const LENGTH_S = 240;
const SETTLED_S = 20;
/** Age of a window's middle when its estimate is used (s). */
const AGE_S = 1.1;
/** Slope of four values half a second apart has this many times the sigma of their mean (per s). */
const SLOPE_PER_MEAN_SIGMA = Math.sqrt(3.2);

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
function follow(wander: number, course: Course, sigmaNs: number, missingShare = 0) {
  let errorSquares = 0;
  let sigmaSquares = 0;
  let count = 0;
  let rejected = 0;
  for (let seed = 100; seed < 104; seed++) {
    const offsets = clock(seed, wander, course);
    const random = new Prng(seed + 800);
    const filter = new HostFilter();
    const blocks: number[] = [];
    for (let k = 0; (k + 1) / 2 + 3 <= LENGTH_S; k++) {
      const slice = offsets.subarray(k * STEPS_PER_BLOCK, (k + 1) * STEPS_PER_BLOCK + 1);
      const ends = (slice[0] + slice[STEPS_PER_BLOCK]) / 2;
      const sum = slice.reduce((total, offset) => total + offset, 0);
      blocks.push((sum - ends) / STEPS_PER_BLOCK + 2 * sigmaNs * random.normal());
      if (k < 3 || (missingShare > 0 && random.uniform() < missingShare)) continue;
      const [a, b, c, d] = blocks.slice(-4);
      const atS = (k + 1) / 2 - 1;
      const freqPpb = (0.75 * (d - a) + 0.25 * (c - b)) / 1.25;
      const freqSigma = SLOPE_PER_MEAN_SIGMA * sigmaNs;
      const update = filter.update(atS, (a + b + c + d) / 4, sigmaNs, freqPpb, freqSigma);
      if (!update.accepted) rejected++;
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
  it.each<[Course, number, number, number, number]>([
    ["swing", 1, 2, 3.5, 0.63],
    ["swing", 1, 10, 13.0, 0.73],
    ["swing", 1, 50, 51.8, 0.87],
    ["swing", 10, 2, 12.0, 2.15],
    ["swing", 10, 10, 26.8, 1.51],
    ["swing", 10, 50, 68.2, 1.14],
    ["ramps", 1, 2, 50.4, 5.2],
    ["ramps", 1, 10, 94.7, 5.27],
    ["ramps", 1, 50, 306.5, 5.13],
    ["ramps", 10, 2, 50.8, 5.41],
    ["ramps", 10, 10, 104.7, 5.43],
    ["ramps", 10, 50, 310.1, 5.19],
  ])("%s, walk %i ppb, windows of %i ns", (course, wander, sigmaNs, was, off) => {
    const { rmsNs, calibration, rejected } = follow(wander, course, sigmaNs);
    console.log(
      `filter, ${course}, walk ${wander}, sigma ${sigmaNs}: RMS ${rmsNs.toFixed(1)} ns`,
      `(was ${was}), error over sigma ${calibration.toFixed(2)} (was ${off})`,
    );
    expect(rmsNs).toBeLessThan(0.98 * was);
    expect(calibration).toBeGreaterThan(0.8);
    expect(calibration).toBeLessThan(1.25);
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
