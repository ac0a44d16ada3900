import { describe, expect, test } from "vitest";
import type { LinkConditions } from "../types.ts";
import { CLEAR_LINK } from "./fake-kernel.ts";
import { edgeDelayNs, Links, probeDelayNs } from "./links.ts";

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

/** Enters `count` probes into a link at the given gaps; delays (ns), NaN where one is lost. */
function delaysOf(link: LinkConditions, gapsNs: readonly number[], count: number): Float64Array {
  const links = new Links(link, SEED);
  links.setHost(4);
  let atNs = 0;
  return Float64Array.from({ length: count }, (_, probe) => {
    atNs += gapsNs[probe % gapsNs.length];
    return links.arrivalNs(3, probe, atNs) - atNs;
  });
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

describe("links with memory", () => {
  const queue = { ...CLEAR_LINK, queueLoad: 0.6, queueServiceNs: 12_000 };
  const stationaryNs = (0.6 * 12_000) / (1 - 0.6);

  test("the mean backlog is that of an M/M/1 queue, near the last probe and far from it", () => {
    // 30 us: every backlog is followed packet by packet. 20 ms: each is drawn anew.
    for (const gapNs of [30_000, 200_000, 20_000_000]) {
      const delays = delaysOf(queue, [gapNs], 200_000);
      const idle = delays.filter((delayNs) => delayNs === 0).length / delays.length;
      console.log(
        `gap ${gapNs} ns: mean backlog ${mean(delays).toFixed(0)} ns (theory ${stationaryNs}), idle ${idle.toFixed(3)} (theory 0.4)`,
      );
      expect(Math.abs(mean(delays) / stationaryNs - 1)).toBeLessThan(0.08);
      expect(Math.abs(idle - 0.4)).toBeLessThan(0.02);
    }
  });

  test("the second probe of a pair mostly waits as long as the first, unlike independent draws", () => {
    const delays = delaysOf(queue, [20_000_000, 10_000], 40_000);
    const first = delays.filter((_, i) => i % 2 === 0);
    const second = delays.filter((_, i) => i % 2 === 1);
    const share = (others: Float64Array): number =>
      first.filter((delayNs, i) => Math.abs(delayNs - others[i]) <= 10_000).length / first.length;
    // The next pair's second probe has nothing to do with this pair's first, but stays behind it.
    const strangers = first.map((delayNs, i) =>
      Math.max(delayNs - 10_000, second[(i + 1) % second.length]),
    );
    const together = share(second);
    const apart = share(strangers);
    console.log(`within 10 us: ${together.toFixed(3)} in pairs, ${apart.toFixed(3)} of strangers`);
    // Draws without memory, kept in order, give 0.70 as well.
    expect(apart).toBeLessThan(0.75);
    expect(together).toBeGreaterThan(0.8);
  });

  test("a pause holds up all that enters during it, and all leave together", () => {
    const link = { ...CLEAR_LINK, spikeShare: 0.001, spikeNs: 1e6 };
    const gapNs = 100_000;
    const delays = delaysOf(link, [gapNs], 200_000);
    const begins = delays.filter((delayNs, i) => delayNs > (delays[i - 1] ?? 0));
    const lengthNs = mean(
      Array.from(
        delays,
        (delayNs, i) => delayNs - Math.max(0, (delays[i - 1] ?? 0) - gapNs),
      ).filter((grownNs) => grownNs > 1),
    );
    console.log(`${begins.length} pauses of ${lengthNs.toFixed(0)} ns on average`);
    expect(begins.length / delays.length).toBeGreaterThan(0.0007);
    expect(begins.length / delays.length).toBeLessThan(0.0013);
    expect(Math.abs(lengthNs / 1e6 - 1)).toBeLessThan(0.25);
    const early = delays.filter((delayNs, i) => delayNs < (delays[i - 1] ?? 0) - gapNs - 1e-3);
    expect(early.length).toBe(0);
  });

  test("a pause lets the cross traffic pile up behind it", () => {
    const link = { ...queue, spikeShare: 0.01, spikeNs: 1e6 };
    const withPausesNs = mean(delaysOf(link, [1_000_000], 50_000));
    expect(withPausesNs).toBeGreaterThan(stationaryNs + 0.01 * 1e6);
  });

  test("loss and jitter are drawn by the number of the probe, with a queue or without", () => {
    const plain = { ...CLEAR_LINK, loss: 0.05, jitterNs: 1000 };
    const delays = delaysOf(plain, [50_000], 20_000);
    const queued = delaysOf({ ...plain, queueLoad: 0.6, queueServiceNs: 12_000 }, [50_000], 20_000);
    const lost = delays.filter((delayNs) => Number.isNaN(delayNs)).length / delays.length;
    expect(Math.abs(lost - 0.05)).toBeLessThan(0.006);
    const expected = delays.map((_, probe) => probeDelayNs(plain, SEED, 3, 4, probe));
    expect(Array.from(queued, Number.isNaN)).toEqual(Array.from(expected, Number.isNaN));
    const off = delays.map((delayNs, i) => Math.abs(delayNs - expected[i]));
    // Instants of a thousand seconds are held to 1e-4 ns.
    expect(Math.max(...off.filter((ns) => !Number.isNaN(ns)))).toBeLessThan(1e-3);
  });

  test("each sender has a queue of its own, and a new number of this host begins new ones", () => {
    const link = { ...CLEAR_LINK, spikeShare: 0.5, spikeNs: 1e9 };
    const links = new Links(link, SEED);
    links.setHost(4);
    const held = Array.from({ length: 20 }, (_, probe) => links.arrivalNs(3, probe, probe)).at(-1)!;
    const other = Array.from({ length: 20 }, (_, probe) => links.arrivalNs(5, probe, probe)).at(
      -1,
    )!;
    expect(held).not.toBe(other);
    links.setHost(4);
    expect(links.arrivalNs(3, 20, 20)).toBeGreaterThanOrEqual(held);
    links.setHost(6);
    expect(links.arrivalNs(3, 20, 20)).toBeLessThan(held);
  });

  test("ten thousand senders, as junk may name, leave memory alone and known links in order", () => {
    const links = new Links({ ...queue, spikeShare: 0.01, spikeNs: 1e6 }, SEED);
    links.setHost(4);
    const known: number[] = [];
    const strange: number[] = [];
    for (let from = 5; from < 10_005; from++) {
      strange.push(links.arrivalNs(from, from, from) - from);
      known.push(links.arrivalNs(3, from, from));
    }
    expect(Math.min(...strange)).toBeGreaterThanOrEqual(0);
    expect(known).toEqual([...known].sort((a, b) => a - b));
  });
});
