import { describe, expect, test } from "vitest";
import { Pacer } from "./pacing.ts";
import type { ProbeTarget } from "./types.ts";

const MS = 1_000_000;
const target = (hostNumber: number): ProbeTarget => ({ hostNumber, address: "127.0.0.1", port: 1 });

/** Runs from `fromMs` to `toMs` in steps of 10 ms; returns host and pair of each pair, with its time. */
function run(
  pacer: Pacer,
  fromMs: number,
  toMs: number,
): { ms: number; host: number; pair: number }[] {
  const log = [];
  for (let ms = fromMs; ms < toMs; ms += 10) {
    const targets: ProbeTarget[] = [];
    const pairs: number[] = [];
    pacer.takeDue(ms * MS, targets, pairs);
    for (const [i, { hostNumber }] of targets.entries()) {
      log.push({ ms, host: hostNumber, pair: pairs[i] });
    }
  }
  return log;
}

describe("pacing", () => {
  test("each neighbour gets its rate, in pairs that count up, out of step with the others", () => {
    const pacer = new Pacer(1, 100);
    pacer.setTargets([target(1), target(2)], 20, 0);
    const log = run(pacer, 0, 10_000);
    for (const host of [1, 2]) {
      const own = log.filter((entry) => entry.host === host);
      expect(own.length).toBeGreaterThan(190);
      expect(own.length).toBeLessThan(210);
      expect(own.map(({ pair }) => pair)).toEqual(own.map((_, i) => 100 + i));
      const gapsMs = own.slice(1).map(({ ms }, i) => ms - own[i].ms);
      expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(30);
      expect(Math.max(...gapsMs)).toBeLessThanOrEqual(70);
      expect(new Set(gapsMs).size).toBeGreaterThan(2);
    }
  });

  test("a new neighbour is given 0.3 s to hear of us", () => {
    const pacer = new Pacer(3, 0);
    pacer.setTargets([target(1)], 50, 0);
    run(pacer, 0, 1000);
    pacer.setTargets([target(1), target(2)], 50, 1000 * MS);
    const log = run(pacer, 1000, 2000);
    expect(log.find(({ host }) => host === 1)!.ms).toBeLessThan(1_040);
    expect(log.find(({ host }) => host === 2)!.ms).toBeGreaterThanOrEqual(1_300);
  });

  test("a burst begins at every neighbour equally often", () => {
    const pacer = new Pacer(4, 0);
    const count = 5;
    pacer.setTargets(
      Array.from({ length: count }, (_, i) => target(i)),
      100,
      0,
    );
    run(pacer, 0, 1000);
    const first = new Array(count).fill(0);
    let bursts = 0;
    for (let ms = 1000; ms < 21_000; ms += 20) {
      const targets: ProbeTarget[] = [];
      pacer.takeDue(ms * MS, targets, []);
      if (targets.length < count) continue;
      first[targets[0].hostNumber]++;
      bursts++;
    }
    expect(bursts).toBeGreaterThan(500);
    for (const times of first) expect(times / bursts).toBeGreaterThan(0.12);
  });

  test("a sender that was held up catches up with one pair and lets the others go", () => {
    const pacer = new Pacer(1, 0);
    pacer.setTargets([target(1)], 50, 0);
    run(pacer, 0, 100);
    expect(run(pacer, 5000, 5010).length).toBe(2);
    expect(run(pacer, 5010, 6010).length).toBeLessThan(55);
  });

  test("numbers go on where an edge stays, and where it comes back", () => {
    const pacer = new Pacer(1, 0);
    pacer.setTargets([target(1), target(2)], 50, 0);
    const before = run(pacer, 0, 1000).filter(({ host }) => host === 2).length;
    pacer.setTargets([target(1)], 50, 1000 * MS);
    expect(run(pacer, 1000, 2000).some(({ host }) => host === 2)).toBe(false);
    pacer.setTargets([target(2), target(1)], 10, 2000 * MS);
    const after = run(pacer, 2000, 3000).filter(({ host }) => host === 2);
    expect(after[0].pair).toBe(before);
  });

  test("a rate of zero sends nothing", () => {
    const pacer = new Pacer(1, 0);
    pacer.setTargets([target(1)], 0, 0);
    expect(run(pacer, 0, 1000)).toEqual([]);
  });
});
