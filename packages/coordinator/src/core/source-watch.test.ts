import { create } from "@bufbuild/protobuf";
import { SourceLineSchema } from "@ttcs/protocol";
import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { type Misdeed, SourceWatch } from "./source-watch.ts";

const EPOCH = 1_795_000_000_000_000_000n;
/** Pace of the system clock against raw (ppb), and the noise of reading it (ns). */
const PACE_PPB = 8_000;
const NOISE_NS = 20;

/** Watches a clock for so many seconds; `aheadNs` says how far it is off its course at a second. */
function watch(seconds: number, aheadNs: (atS: number) => number, seed = 1, everyS = 0.5) {
  const random = new Prng(seed);
  const subject = new SourceWatch();
  const found: (Misdeed & { readonly atS: number })[] = [];
  let doubtS = 0;
  for (let atS = 0; atS < seconds; atS += everyS) {
    const rawNs = BigInt(Math.round(atS * 1e9));
    const offNs = aheadNs(atS) + NOISE_NS * random.normal() + atS * PACE_PPB;
    const misdeed = subject.take(
      create(SourceLineSchema, {
        rawNs,
        systemUnixNs: EPOCH + rawNs + BigInt(Math.round(offNs)),
        freqPpb: PACE_PPB,
        synchronised: true,
      }),
      atS * 1000,
    );
    if (misdeed) found.push({ ...misdeed, atS });
    if (subject.inDoubt) doubtS += everyS;
  }
  return { found, doubtS, steadyS: subject.steadyForMs(seconds * 1000) / 1000 };
}

/** Nothing up to second 40, then so many ppb for so many seconds. */
const bent = (ppb: number, forS: number) => (atS: number) =>
  Math.max(0, Math.min(forS, atS - 40)) * ppb;

test.each([
  [1e6, "stepped by +1.000 ms"],
  [1e9, "stepped by +1.000 s"],
  [-3.6e12, "stepped by -3600.000 s"],
])("a step of %d ns is found by the first reading after it", (stepNs, words) => {
  const { found, steadyS } = watch(60, (atS) => (atS > 40.2 ? stepNs : 0));
  expect(found.map((f) => [f.kind, f.words, f.atS])).toEqual([["step", words, 40.5]]);
  expect(found[0].byNs).toBeCloseTo(stepNs, -3);
  expect(steadyS).toBeCloseTo(19.5, 1);
});

test.each([1, 2, 3, 4, 5])("a drift of 5 ppm is found within 7 s (seed %i)", (seed) => {
  const { found } = watch(60, bent(5_000, 1_000), seed);
  expect(found.map((f) => f.kind)).toEqual(["drift"]);
  expect(found[0].words).toMatch(/^drifts by \+(4\.9|5\.0) ppm$/);
  expect(found[0].atS).toBeLessThanOrEqual(47);
});

test("a slew of 2 ms at 500 ppm is waited for, and is no misdeed; nor is one reading that was missed", () => {
  const slew = watch(120, bent(500_000, 4));
  expect(slew.found).toEqual([]);
  expect(slew.doubtS).toBeGreaterThanOrEqual(3.5);
  expect(slew.doubtS).toBeLessThanOrEqual(4.5);
  expect(slew.steadyS).toBeGreaterThan(119);
  expect(watch(120, bent(500_000, 4), 1, 1.5).found).toEqual([]);
});

test("a daemon's changes of the rate by up to 3.5 ppm every 16 s are its ordinary work", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = new Prng(seed);
    const rates = Array.from({ length: 40 }, () => random.between(-1_750, 1_750));
    const ahead = (atS: number) => {
      let ns = 0;
      for (let i = 0; i * 16 < atS; i++) ns += rates[i] * Math.min(16, atS - i * 16);
      return ns;
    };
    const { found, steadyS } = watch(600, ahead, seed);
    expect([seed, found]).toEqual([seed, []]);
    expect(steadyS).toBeGreaterThan(590);
  }
});

test("a source of which nothing is known yet may be in the middle of a slew", () => {
  expect(watch(100, (atS) => Math.min(10, atS) * 100_000).found).toEqual([]);
});

test("a clock that we steer is no source, and nothing that it does is a misdeed", () => {
  const subject = new SourceWatch();
  for (let i = 0n; i < 100n; i++) {
    const line = create(SourceLineSchema, {
      rawNs: i,
      systemUnixNs: i * i * 1_000n,
      steered: true,
    });
    expect(subject.take(line, Number(i))).toBeUndefined();
  }
  expect(subject.steadyForMs(100)).toBe(0);
});
