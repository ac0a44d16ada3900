import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Oscillator } from "./oscillator.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const hosts = fc.integer({ min: 0, max: 2000 });
/** Up to 30 days after the laboratory began (ns). */
const instants = fc.integer({ min: 0, max: 2_592_000_000_000_000 });
const START = 123_456_789_000n;

describe("an oscillator", () => {
  test("can be inverted", () => {
    fc.assert(
      fc.property(seeds, hosts, instants, (seed, index, kernelNs) => {
        const oscillator = new Oscillator(seed, index, START);
        const againNs = oscillator.kernelSince(oscillator.rawSince(kernelNs));
        // Doubles of this size are 0.5 ns apart.
        expect(Math.abs(againNs - kernelNs)).toBeLessThanOrEqual(1);
        const kernelRawNs = START + BigInt(kernelNs);
        const backNs = oscillator.kernelAt(oscillator.rawAt(kernelRawNs)) - kernelRawNs;
        // The way there rounds down, the way back to the nearest: 1.5 ns, and the doubles' 0.3.
        expect(Math.abs(Number(backNs))).toBeLessThanOrEqual(2);
      }),
      { seed: 20261122 },
    );
  });

  test("runs within 20 ppm and its wander of the kernel's clock, and always forward", () => {
    fc.assert(
      fc.property(seeds, hosts, instants, (seed, index, kernelNs) => {
        const oscillator = new Oscillator(seed, index, START);
        const ratePpb =
          (oscillator.rawSince(kernelNs + 1e9) - oscillator.rawSince(kernelNs) - 1e9) | 0;
        expect(Math.abs(ratePpb)).toBeLessThanOrEqual(20_100);
        expect(Math.abs(ratePpb - oscillator.freqPpb)).toBeLessThan(70);
      }),
      { seed: 20261122 },
    );
  });
});

describe("the wander", () => {
  test("grows with the root of the time between two looks, about 1 ppb per root second", () => {
    const squares = new Map<number, number>([
      [8, 0],
      [128, 0],
      [1024, 0],
    ]);
    const hostCount = 300;
    const frequencyAt = (oscillator: Oscillator, atS: number): number =>
      oscillator.rawSince((atS + 0.5) * 1e9) - oscillator.rawSince((atS - 0.5) * 1e9) - 1e9;
    for (let index = 0; index < hostCount; index++) {
      const oscillator = new Oscillator(99, index, START);
      for (const [apartS, sum] of squares) {
        const change = frequencyAt(oscillator, 5000 + apartS) - frequencyAt(oscillator, 5000);
        squares.set(apartS, sum + change ** 2);
      }
    }
    for (const [apartS, sum] of squares) {
      const ppbPerRootS = Math.sqrt(sum / hostCount / apartS);
      console.log(`wander over ${apartS} s: ${ppbPerRootS.toFixed(2)} ppb per root second`);
      expect(ppbPerRootS).toBeGreaterThan(0.4);
      expect(ppbPerRootS).toBeLessThan(1.6);
    }
  });

  test("seed and host decide everything", () => {
    const at = 77_000_000_000_000n;
    const one = new Oscillator(1, 2, START);
    expect(new Oscillator(1, 2, START).rawAt(at)).toBe(one.rawAt(at));
    expect(new Oscillator(1, 3, START).rawAt(at)).not.toBe(one.rawAt(at));
    expect(new Oscillator(2, 2, START).rawAt(at)).not.toBe(one.rawAt(at));
    expect(one.startRawNs).toBeGreaterThanOrEqual(0n);
    expect(one.startRawNs).toBeLessThan(10n ** 15n);
  });
});
