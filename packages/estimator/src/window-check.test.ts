import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import { type EdgeWindow, fitEdge } from "./edge-fit.ts";
import { type DelayModel, exponentialDelay, kernelDelay, makeWindow } from "./synthetic-window.ts";

const SEED = 20261122;
const MIDDLE_NS = 1e9;

const plan = (seed: number, delay: DelayModel, pairCount = 200) => {
  const random = new Prng(seed ^ 0x5eed);
  const freqPpb = random.between(-30_000, 30_000);
  return { seed, offsetNs: random.between(-5e6, 5e6), freqPpb, pairCount, delay };
};

/** Adds to every stamp of the other host what `shift` gives for the owner's instant (ns). */
function bend(window: EdgeWindow, shift: (ownerNs: number) => number): EdgeWindow {
  const { forward, reverse } = window;
  for (let i = 0; i < forward.length; i++) forward.rxNs[i] += Math.round(shift(forward.txNs[i]));
  for (let i = 0; i < reverse.length; i++) reverse.txNs[i] += Math.round(shift(reverse.rxNs[i]));
  return window;
}

function reasonOf(window: EdgeWindow): string {
  const fit = fitEdge(window);
  return fit.trusted ? "trusted" : fit.reason;
}

const parabola = (ppbPerS: number) => (ownerNs: number) =>
  (ppbPerS / 2) * ((ownerNs - MIDDLE_NS) * 1e-9) ** 2;
const kernel = kernelDelay(0.1, 8000);

describe("a window that is no straight line", () => {
  it("tells a clock that stepped by more than a round trip from its contradictions", () => {
    const window = makeWindow(plan(SEED, kernel));
    bend(window, (ns) => (ns > MIDDLE_NS ? 100_000 : 0));
    expect(reasonOf(window)).toMatch(/contradict|jumps/);
  });

  it("tells a clock that stepped by less than a round trip", () => {
    const window = makeWindow(plan(SEED, exponentialDelay(10_000, 1000)));
    bend(window, (ns) => (ns > MIDDLE_NS ? 4000 : 0));
    expect(reasonOf(window)).toMatch(/^the offset jumps by \d+ ns inside the window$/);
  });

  it("tells a route of one direction that became longer", () => {
    const window = makeWindow(plan(SEED, kernel));
    const { txNs, rxNs, length } = window.forward;
    for (let i = 0; i < length; i++) if (txNs[i] > 0.8 * MIDDLE_NS) rxNs[i] += 3000;
    expect(reasonOf(window)).toMatch(
      /^the (offset jumps|frequency changes) by -?\d+ (ns|ppb) inside the window$/,
    );
  });

  it("tells a frequency that changed", () => {
    const window = makeWindow(plan(SEED, kernel));
    bend(window, (ns) => Math.max(0, ns - MIDDLE_NS) * 2e-6);
    expect(reasonOf(window)).toMatch(/^the frequency changes by \d+ ppb inside the window$/);
  });

  it("tells an offset that swings to and fro", () => {
    const window = makeWindow(plan(SEED, exponentialDelay(50_000, 300)));
    bend(window, (ns) => 3000 * Math.sin((2 * Math.PI * ns) / 1e9));
    expect(reasonOf(window)).toMatch(/^the offset (scatters|jumps) by -?\d+ ns inside the window$/);
  });

  it("is not made of a crystal that warms up by 50 ppb/s", () => {
    for (let seed = SEED; seed < SEED + 200; seed++) {
      const window = makeWindow(plan(seed, kernel));
      expect(reasonOf(bend(window, parabola(seed % 2 === 0 ? 50 : -50)))).toBe("trusted");
    }
  });

  it("is hardly ever made of a hard but honest one", () => {
    const models: [string, DelayModel, number][] = [
      ["kernel stamps, idle", kernel, 200],
      ["kernel stamps, half queued", kernelDelay(0.5, 10_000), 200],
      ["kernel stamps, 90 % queued", kernelDelay(0.9, 10_000), 200],
      ["kernel stamps, 90 % queued, 40 pairs", kernelDelay(0.9, 10_000), 40],
      ["NIC stamps, 90 % queued", nicDelay(0.9), 200],
      ["NIC stamps, 10 % queued", nicDelay(0.1), 100],
      ["cloud, two queues", cloudDelay, 100],
    ];
    for (const [name, delay, pairCount] of models) {
      let thrown = 0;
      for (let seed = SEED; seed < SEED + 500; seed++) {
        const window = bend(makeWindow(plan(seed, delay, pairCount)), parabola(50));
        if (reasonOf(window) !== "trusted") thrown++;
      }
      console.log(`window, ${name}: ${((100 * thrown) / 500).toFixed(1)} % thrown away`);
      expect(thrown / 500).toBeLessThan(0.01);
    }
  });
});

/** NIC stamps: 6 ns of noise, one in a hundred stamped early, a share of probes queued. */
function nicDelay(queuedShare: number): DelayModel {
  return (random) => {
    const earlyNs = random.uniform() < 0.01 ? random.between(50, 500) : 0;
    const queue = random.uniform() < queuedShare ? random.exponential(3000) : 0;
    return 10_000 + 6 * random.normal() - earlyNs + queue;
  };
}

/** 60 us and two queues of 15 us; now and then a millisecond. */
function cloudDelay(random: Prng): number {
  const spike = random.uniform() < 0.005 ? random.exponential(1e6) : 0;
  return 60_000 + random.exponential(15_000) + random.exponential(15_000) + spike;
}
