import fc from "fast-check";
import { expect, it } from "vitest";
import { fitEdge, type TrustedFit } from "./edge-fit.ts";
import type { ProbeColumns } from "./pairs.ts";
import { exponentialDelay, makeWindow, trueOffsetNs, type WindowPlan } from "./synthetic-window.ts";

const base: WindowPlan = {
  seed: 7,
  offsetNs: 1234,
  freqPpb: 8000,
  pairCount: 40,
  delay: exponentialDelay(10_000, 1000),
  whole: false,
};

function fitOf(plan: WindowPlan): TrustedFit {
  const fit = fitEdge(makeWindow(plan));
  if (!fit.trusted) throw new Error(fit.reason);
  return fit;
}

const number = (limit: number) =>
  fc.double({ min: -limit, max: limit, noNaN: true, noDefaultInfinity: true });

it("recovers a line without noise exactly, wherever the zeros lie", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      number(1e9),
      number(900_000),
      fc.integer({ min: -1e13, max: 1e13 }),
      fc.integer({ min: -1e13, max: 1e13 }),
      (seed, offsetNs, freqPpb, zeroANs, zeroBNs) => {
        const plan = { ...base, seed, offsetNs, freqPpb, zeroANs, zeroBNs, delay: () => 5000 };
        const fit = fitOf(plan);
        // Doubles of 1e13 are 0.002 ns apart; the delay gains up to 5000 ns x 900 ppm on B's clock.
        const errorNs = fit.offsetNs - trueOffsetNs(plan, fit.midNs);
        expect(Math.abs(errorNs)).toBeLessThan(3);
        expect(Math.abs(fit.freqPpb - freqPpb)).toBeLessThan(0.1);
      },
    ),
    { seed: 101, numRuns: 100 },
  );
});

it("moves with the zeros of the clocks", () => {
  const still = fitOf(base);
  fc.assert(
    fc.property(
      fc.integer({ min: -1e12, max: 1e12 }),
      fc.integer({ min: -1e12, max: 1e12 }),
      (zeroANs, zeroBNs) => {
        const moved = fitOf({ ...base, zeroANs, zeroBNs });
        expect(Math.abs(moved.midNs - zeroANs - still.midNs)).toBeLessThan(0.1);
        const shiftNs = zeroBNs - zeroANs;
        expect(Math.abs(moved.offsetNs - shiftNs - still.offsetNs)).toBeLessThan(0.1);
        expect(Math.abs(moved.freqPpb - still.freqPpb)).toBeLessThan(0.1);
        expect(Math.abs(moved.offsetSigmaNs - still.offsetSigmaNs)).toBeLessThan(0.1);
      },
    ),
    { seed: 102, numRuns: 100 },
  );
});

it("scales with the offsets and delays", () => {
  const once = fitOf({ ...base, freqPpb: 0 });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4 }), (factor) => {
      const window = makeWindow({ ...base, freqPpb: 0 });
      // Along the owner's axis nothing moves; offsets and delays grow by the factor.
      stretch(window.forward.txNs, window.forward.rxNs, factor);
      stretch(window.reverse.rxNs, window.reverse.txNs, factor);
      const fit = fitEdge(window) as TrustedFit;
      // The slope is found to 0.01 ppb: over 1 s that is some hundredths of a nanosecond.
      expect(Math.abs(fit.offsetNs - factor * once.offsetNs)).toBeLessThan(0.1);
      expect(Math.abs(fit.freqPpb - factor * once.freqPpb)).toBeLessThan(0.1);
      expect(Math.abs(fit.delayForwardNsMin - factor * once.delayForwardNsMin)).toBeLessThan(0.1);
    }),
    { seed: 103, numRuns: 3 },
  );
});

function stretch(xNs: Float64Array, otherNs: Float64Array, factor: number): void {
  for (let i = 0; i < xNs.length; i++) otherNs[i] = xNs[i] + factor * (otherNs[i] - xNs[i]);
}

it("never throws on arbitrary numbers", () => {
  const anything = fc.oneof(number(1e308), number(1e10), fc.constant(0), fc.constant(Number.NaN));
  const columns: fc.Arbitrary<ProbeColumns> = fc
    .array(fc.tuple(number(1e17), anything, anything), { maxLength: 60 })
    .map((rows) => ({
      length: rows.length,
      probe: Float64Array.from(rows, (_, i) => i),
      txNs: Float64Array.from(rows, (row) => row[1]),
      rxNs: Float64Array.from(rows, (row) => row[2]),
    }));
  fc.assert(
    fc.property(columns, columns, number(1e5), (forward, reverse, count) => {
      const carry = { sigmaNs: 5, boundNs: 100 };
      const fit = fitEdge({
        forward,
        reverse,
        ownerCarry: carry,
        otherCarry: carry,
        sentForwardCount: count,
        sentReverseCount: count,
      });
      expect(fit.lossForward).toBeGreaterThanOrEqual(0);
      if (fit.trusted) expect(Number.isFinite(fit.offsetNs + fit.offsetSigmaNs)).toBe(true);
      else expect(fit.reason).not.toBe("");
    }),
    { seed: 104, numRuns: 1000 },
  );
});
