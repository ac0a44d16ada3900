import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import { HostFilter } from "./host-filter.ts";

const SEED = 20260711;
const OFFSET_SIGMA_NS = 15;
const FREQ_SIGMA_PPB = 30;
/** From a measurement to the instant at which its estimate is used (s). */
const AGE_S = 1;

/** Errors of the predicted "now" against a true clock, after `settleS`. */
interface Run {
  errorsNs: number[];
  freqErrorsPpb: number[];
  within: number;
  rejected: number;
}

/**
 * Follows a clock given by its frequency (ppb) at an instant (s), measured every half second.
 */
function follow(seed: number, freqAt: (s: number) => number, settleS = 20, lengthS = 120): Run {
  const random = new Prng(seed);
  const filter = new HostFilter();
  const stepS = 0.01;
  const offsets: number[] = [0];
  for (let i = 0; i * stepS < lengthS + 5; i++) {
    offsets.push(offsets[i] + stepS * freqAt((i + 0.5) * stepS));
  }
  const offsetAt = (s: number): number => offsets[Math.round(s / stepS)];
  const run: Run = { errorsNs: [], freqErrorsPpb: [], within: 0, rejected: 0 };
  for (let round = 0; round < 2 * lengthS; round++) {
    const atS = round / 2;
    const offsetNs = offsetAt(atS) + OFFSET_SIGMA_NS * random.normal();
    const freqPpb = freqAt(atS) + FREQ_SIGMA_PPB * random.normal();
    const { accepted } = filter.update(atS, offsetNs, OFFSET_SIGMA_NS, freqPpb, FREQ_SIGMA_PPB);
    if (!accepted) run.rejected++;
    if (atS < settleS) continue;
    const now = filter.predict(atS + AGE_S);
    const error = Math.abs(now.offsetNs - offsetAt(atS + AGE_S));
    run.errorsNs.push(error);
    run.freqErrorsPpb.push(Math.abs(now.freqPpb - freqAt(atS + AGE_S)));
    if (error <= now.offsetSigmaNs) run.within++;
  }
  run.errorsNs.sort((a, b) => a - b);
  run.freqErrorsPpb.sort((a, b) => a - b);
  return run;
}

const quantile = (sorted: number[], q: number): number => sorted[Math.floor(q * sorted.length)];

describe("HostFilter", () => {
  it("converges on a constant frequency and extrapolates better than one measurement", () => {
    const run = follow(SEED, () => 12_345);
    const p50 = quantile(run.errorsNs, 0.5);
    const p99 = quantile(run.errorsNs, 0.99);
    console.log(`filter, constant: now p50 ${p50.toFixed(1)} ns, p99 ${p99.toFixed(1)} ns`);
    // One measurement alone would give hypot(15, 30) = 34 ns, 86 ns at p99.
    expect(p99).toBeLessThan(60);
    expect(quantile(run.freqErrorsPpb, 0.99)).toBeLessThan(40);
    expect(run.rejected).toBe(0);
  });

  it("follows a temperature ramp of 50 ppb/s without rejecting it", () => {
    const ramp = (s: number) => (s < 30 ? 0 : Math.min(s - 30, 40) * 50);
    const run = follow(SEED, ramp);
    const settled = follow(SEED, (s) => s * 50);
    console.log(
      `filter, ramp: p50 ${quantile(run.errorsNs, 0.5).toFixed(1)} ns,`,
      `worst ${quantile(run.errorsNs, 0.9999).toFixed(0)} ns`,
    );
    expect(run.rejected).toBe(0);
    expect(quantile(run.errorsNs, 0.9999)).toBeLessThan(500);
    expect(quantile(settled.errorsNs, 0.99)).toBeLessThan(70);
  });

  it("believes a frequency that is known well though the offset is not: edges may disagree", () => {
    const filter = new HostFilter();
    for (let round = 0; round < 6; round++) {
      const freqPpb = 15_000 + (round % 2 === 0 ? 100 : -900);
      filter.update(round / 2, 40_000 * round, 700_000, freqPpb, 400);
      const estimate = filter.predict(round / 2 + 1);
      expect(Math.abs(estimate.freqPpb - 15_000)).toBeLessThan(1_500);
      expect(estimate.freqSigmaPpb).toBeLessThan(2_000);
    }
  });

  it("stays sound for two days of measurements, and after gaps of any length", {
    timeout: 60_000,
  }, () => {
    const filter = new HostFilter();
    const random = new Prng(12);
    let atS = 0;
    for (let round = 0; round < 349_500; round++) {
      atS += round % 50_000 === 49_999 ? 36_000 : 0.5;
      const sigmaNs = round % 1_000 === 999 ? 0.5 : 10;
      filter.update(
        atS,
        sigmaNs * random.normal(),
        sigmaNs,
        2 * sigmaNs * random.normal(),
        2 * sigmaNs,
      );
    }
    const { offsetNs, freqPpb, offsetSigmaNs } = filter.predict(atS + 1);
    expect(Math.abs(offsetNs)).toBeLessThan(60);
    expect(Math.abs(freqPpb)).toBeLessThan(60);
    expect(offsetSigmaNs).toBeGreaterThan(0.5);
    expect(offsetSigmaNs).toBeLessThan(30);
  });

  it("predicts a sigma that covers a wandering crystal", () => {
    let within = 0;
    let count = 0;
    for (let seed = SEED; seed < SEED + 10; seed++) {
      const random = new Prng(seed);
      const walk = [0];
      for (let i = 0; i < 13_000; i++) walk.push(walk[i] + 0.1 * random.normal());
      const run = follow(seed + 1000, (s) => walk[Math.floor(s / 0.01)]);
      within += run.within;
      count += run.errorsNs.length;
    }
    console.log(`filter: ${Math.round((100 * within) / count)} % within sigma`);
    expect(within / count).toBeGreaterThan(0.5);
    expect(within / count).toBeLessThan(0.9);
  });

  it("rejects three wild measurements and takes the fourth as a new beginning", () => {
    const filter = new HostFilter();
    for (let i = 0; i < 20; i++) filter.update(i / 2, 100, 10, 0, 20);
    for (let i = 20; i < 23; i++) {
      const { accepted, innovationSigmas } = filter.update(i / 2, 9000, 10, 0, 20);
      expect(accepted).toBe(false);
      expect(innovationSigmas).toBeGreaterThan(6);
    }
    expect(Math.abs(filter.predict(11.5).offsetNs - 100)).toBeLessThan(1);
    expect(filter.update(11.5, 9000, 10, 0, 20).accepted).toBe(true);
    expect(filter.predict(11.5).offsetNs).toBe(9000);
  });

  it("counts only rejections in a row", () => {
    const filter = new HostFilter();
    for (let i = 0; i < 20; i++) filter.update(i / 2, 100, 10, 0, 20);
    for (let i = 20; i < 40; i++) {
      const wild = i % 4 !== 3;
      expect(filter.update(i / 2, wild ? 9000 : 100, 10, 0, 20).accepted).toBe(!wild);
    }
  });

  it("rejects what is no number, has no sigma, or is older than its state", () => {
    const filter = new HostFilter();
    filter.update(5, 100, 10, 0, 20);
    expect(filter.update(6, Number.NaN, 10, 0, 20).accepted).toBe(false);
    expect(filter.update(6, 100, 0, 0, 20).accepted).toBe(false);
    expect(filter.update(6, 100, 10, 0, Number.POSITIVE_INFINITY).accepted).toBe(false);
    expect(filter.update(4, 100, 10, 0, 20).accepted).toBe(false);
    expect(filter.predict(5).offsetNs).toBe(100);
    expect(filter.update(5, 100, 10, 0, 20).accepted).toBe(true);
  });

  it("is less sure of the future, and knows nothing at first and after a reset", () => {
    const filter = new HostFilter();
    expect(filter.predict(0).offsetSigmaNs).toBe(Number.POSITIVE_INFINITY);
    for (let i = 0; i < 20; i++) filter.update(i / 2, 0, 10, 0, 20);
    const soon = filter.predict(10).offsetSigmaNs;
    const late = filter.predict(30).offsetSigmaNs;
    expect(late).toBeGreaterThan(3 * soon);
    filter.reset();
    expect(filter.predict(0).freqSigmaPpb).toBe(Number.POSITIVE_INFINITY);
  });

  it("keeps a symmetric, positive covariance over a day of rounds", () => {
    const filter = new HostFilter();
    const random = new Prng(SEED);
    for (let i = 0; i < 172_800; i++) {
      filter.update(i / 2, 15 * random.normal(), 15, 30 * random.normal(), 30);
    }
    const now = filter.predict(86_400);
    expect(now.offsetSigmaNs).toBeGreaterThan(1);
    expect(now.offsetSigmaNs).toBeLessThan(60);
    expect(Math.abs(now.offsetNs)).toBeLessThan(6 * now.offsetSigmaNs);
  }, 30_000);
});
