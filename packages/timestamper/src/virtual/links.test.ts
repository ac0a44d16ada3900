import { describe, expect, test } from "vitest";
import { CLEAR_LINK } from "./fake-kernel.ts";
import { edgeDelayNs, probeDelayNs } from "./links.ts";

const SEED = 5;
const edges = Array.from({ length: 400 }, (_, i): [number, number] => [
  1 + i,
  1000 + ((i * 7) % 391),
]);

describe("link conditions", () => {
  test("each edge draws its base within 20 %, the same both ways", () => {
    const link = { ...CLEAR_LINK, baseDelayNs: 1000 };
    const delays = edges.map(([a, b]) => edgeDelayNs(link, SEED, a, b));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(800);
    expect(Math.min(...delays)).toBeLessThan(820);
    expect(Math.max(...delays)).toBeLessThanOrEqual(1200);
    expect(Math.max(...delays)).toBeGreaterThan(1180);
    expect(edges.map(([a, b]) => edgeDelayNs(link, SEED, b, a))).toEqual(delays);
  });

  test("asymmetry parts the directions of the share of edges that the seed picks, either way", () => {
    const link = { ...CLEAR_LINK, baseDelayNs: 1000, asymmetryNs: 200, asymmetricShare: 0.25 };
    const differences = edges.map(([a, b]) =>
      Math.round(edgeDelayNs(link, SEED, a, b) - edgeDelayNs(link, SEED, b, a)),
    );
    const count = (value: number): number => differences.filter((d) => d === value).length;
    expect(count(200) + count(-200) + count(0)).toBe(400);
    expect(count(200)).toBeGreaterThan(30);
    expect(count(-200)).toBeGreaterThan(30);
    expect(count(200) + count(-200)).toBeLessThan(130);
    const symmetric = { ...link, asymmetricShare: 0 };
    for (const [i, [a, b]] of edges.entries()) {
      const both = edgeDelayNs(link, SEED, a, b) + edgeDelayNs(link, SEED, b, a);
      expect(both).toBeCloseTo(2 * edgeDelayNs(symmetric, SEED, a, b), 6);
      expect([-200, 0, 200]).toContain(differences[i] + 0);
    }
  });

  test("jitter is exponential, loss as often as asked, and both depend on the probe alone", () => {
    const link = { ...CLEAR_LINK, jitterNs: 1000, loss: 0.1 };
    const draw = (probe: number): number => probeDelayNs(link, SEED, 3, 4, probe);
    const all = Array.from({ length: 20_000 }, (_, probe) => draw(probe));
    const kept = all.filter((delayNs) => !Number.isNaN(delayNs));
    expect(Math.abs(1 - kept.length / all.length - 0.1)).toBeLessThan(0.01);
    const meanNs = kept.reduce((sum, delayNs) => sum + delayNs, 0) / kept.length;
    expect(Math.abs(meanNs - 1000)).toBeLessThan(40);
    const belowMean = kept.filter((delayNs) => delayNs < 1000).length / kept.length;
    expect(Math.abs(belowMean - (1 - Math.exp(-1)))).toBeLessThan(0.02);
    expect(draw(77)).toBe(all[77]);
    expect(draw(2 ** 40 + 77)).not.toBe(all[77]);
  });

  test("a delay is never negative", () => {
    const link = { ...CLEAR_LINK, baseDelayNs: 10, asymmetryNs: 1000, asymmetricShare: 1 };
    for (const [a, b] of edges) expect(edgeDelayNs(link, SEED, a, b)).toBeGreaterThanOrEqual(0);
  });
});
