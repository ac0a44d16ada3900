import { Prng, WINDOW_NS, windowNsAt } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import { fitEdge } from "./edge-fit.ts";
import { EdgeTracker } from "./edge-tracker.ts";
import type { ProbeColumns } from "./pairs.ts";
import type { PlacedWindow } from "./window-line.ts";

const ROUND_S = 0.5;
const OWNER_ZERO = 7_000_000_000_000n;
const OTHER_ZERO = 900_000_000_000_000n;

/** A world of two clocks; the owner's is true time. */
interface World {
  readonly seed: number;
  readonly seconds: number;
  readonly pairsPerSecond: number;
  /** Other minus owner (ns) at true time t (s). */
  readonly offsetNs: (t: number) => number;
  /** Delay from the owner (`there`) and back (ns), at true time t (s). */
  readonly delayNs: (random: Prng, there: boolean, t: number) => number;
}

const loaded = (random: Prng): number => {
  let ns = 10_000 + 14 * random.normal();
  for (let hop = 0; hop < 4; hop++) {
    if (random.uniform() < 0.4) ns += 12_500 * random.exponential(1) * random.exponential(1);
  }
  return ns;
};

const calm: World = {
  seed: 1,
  seconds: 60,
  pairsPerSecond: 50,
  offsetNs: (t) => 3_000_000 + 8_000 * t + 30 * Math.sin(t / 9),
  delayNs: loaded,
};

interface Sent {
  readonly probe: number;
  readonly sentS: number;
  readonly arrivedS: number;
}

function probesOf(world: World, there: boolean): Sent[] {
  const random = new Prng(world.seed * 2 + (there ? 1 : 0));
  const out: Sent[] = [];
  for (let pair = 0; pair < world.seconds * world.pairsPerSecond; pair++) {
    const sentS = (pair + random.uniform() * 0.9) / world.pairsPerSecond;
    for (const slot of [0, 1]) {
      const atS = sentS + slot * 1e-5;
      const delayNs = world.delayNs(random, there, atS);
      out.push({ probe: 2 * pair + slot, sentS: atS, arrivedS: atS + delayNs * 1e-9 });
    }
  }
  return out;
}

/** Each round's window, with the truth at the instant for which fits hold. */
function* windows(
  world: World,
): Generator<{ window: PlacedWindow; truthNs: (ns: number) => number }> {
  const [there, back] = [probesOf(world, true), probesOf(world, false)];
  const windowNs = windowNsAt(world.pairsPerSecond);
  const carry = { sigmaNs: 0, boundNs: 100 };
  const otherNs = (t: number) => t * 1e9 + world.offsetNs(t);
  for (let closeS = windowNs * 1e-9; closeS <= world.seconds; closeS += ROUND_S) {
    const startS = closeS - windowNs * 1e-9;
    const otherStartNs = Math.floor(otherNs(startS));
    const columns = (sent: Sent[], tx: (t: number) => number, rx: (t: number) => number) => {
      const held = sent.filter((p) => p.sentS >= startS && p.arrivedS <= closeS);
      const fill = (f: (p: Sent) => number) => Float64Array.from(held, f);
      const out: ProbeColumns = {
        length: held.length,
        probe: fill((p) => p.probe),
        txNs: fill((p) => Math.round(tx(p.sentS))),
        rxNs: fill((p) => Math.round(rx(p.arrivedS))),
      };
      return out;
    };
    const onOwner = (t: number) => (t - startS) * 1e9;
    const onOther = (t: number) => otherNs(t) - otherStartNs;
    const window = {
      forward: columns(there, onOwner, onOther),
      reverse: columns(back, onOther, onOwner),
      ownerCarry: carry,
      otherCarry: carry,
      sentForwardCount: 0,
      sentReverseCount: 0,
      ownerBaseRawNs: OWNER_ZERO + BigInt(Math.round(startS * 1e9)),
      otherBaseRawNs: OTHER_ZERO + BigInt(otherStartNs),
      closeNs: windowNs,
    };
    const truthNs = (ns: number) => {
      const t = startS + ns * 1e-9;
      return world.offsetNs(t) + startS * 1e9 - otherStartNs;
    };
    yield { window, truthNs };
  }
}

/** Follows a world; errors of trusted fits after `settledS`. */
function follow(world: World, settledS = 12, tracker = new EdgeTracker()) {
  const errors: {
    atS: number;
    errorNs: number;
    windowNs: number;
    sigmaNs: number;
    sigmas: number;
  }[] = [];
  let outside = 0;
  let distrusted = 0;
  let round = 0;
  for (const { window, truthNs } of windows(world)) {
    const atS = windowNsAt(world.pairsPerSecond) * 1e-9 + round++ * ROUND_S;
    const fit = tracker.fit(window);
    if (!fit.trusted) {
      distrusted++;
      continue;
    }
    const errorNs = fit.offsetNs - truthNs(fit.midNs);
    if (errorNs > fit.belowBoundNs + 1 || -errorNs > fit.aboveBoundNs + 1) outside++;
    if (atS < settledS) continue;
    const alone = fitEdge(window);
    const windowNs = alone.trusted ? alone.offsetNs - truthNs(alone.midNs) : Number.NaN;
    const sigmaNs = Math.hypot(fit.offsetSigmaNs, fit.slowSigmaNs);
    errors.push({ atS, errorNs, windowNs, sigmaNs, sigmas: errorNs / sigmaNs });
  }
  return { errors, outside, distrusted };
}

const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const rms = (values: number[]) =>
  Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

describe("EdgeTracker", () => {
  it("tells more of a quarter of a window's probes than the window by itself", () => {
    const all = [1, 2, 3, 4].flatMap((seed) => {
      const { errors, outside } = follow({ ...calm, seed });
      expect(outside).toBe(0);
      return errors;
    });
    const alone = rms(all.map((e) => e.windowNs));
    // By information. A block has a quarter of a window's probes: twice its error would be as good.
    const told = Math.sqrt(1 / mean(all.map((e) => e.sigmaNs ** -2)));
    const calibration = rms(all.map((e) => e.sigmas));
    console.log(
      `edge, 40 % load, 50 pairs/s: sigma of the mean block ${told.toFixed(1)} ns,`,
      `whole windows ${alone.toFixed(1)} ns rms,`,
      `error over sigma ${calibration.toFixed(2)} (seeds 1 to 4)`,
    );
    expect(told).toBeLessThan(1.5 * alone);
    expect(calibration).toBeGreaterThan(0.6);
    expect(calibration).toBeLessThan(1.5);
  });

  it("does not care for a load on one direction alone", () => {
    const oneWay: World["delayNs"] = (random, there) =>
      there
        ? loaded(random) + random.exponential(2_000) * (random.uniform() < 0.8 ? 1 : 0)
        : loaded(random);
    const { errors, outside } = follow({ ...calm, seed: 5, delayNs: oneWay });
    expect(outside).toBe(0);
    expect(Math.abs(mean(errors.map((e) => e.errorNs)))).toBeLessThan(15);
  });

  it("notices a clock that steps, and is right again when the window is past it", () => {
    const world = {
      ...calm,
      seed: 6,
      offsetNs: (t: number) => calm.offsetNs(t) + (t > 30 ? 2_000 : 0),
    };
    const { errors, distrusted } = follow(world);
    expect(distrusted).toBeGreaterThan(1);
    for (const { atS, errorNs } of errors) {
      if (atS < 30 || atS > 34) expect(Math.abs(errorNs)).toBeLessThan(150);
    }
  });

  it("holds the truth within its bound when a route grows longer one way", () => {
    const longer: World["delayNs"] = (random, there, t) =>
      loaded(random) + (there && t > 25 ? 3_000 : 0);
    expect(follow({ ...calm, seed: 7, delayNs: longer }).outside).toBe(0);
  });

  it("lives on one pair a second, with longer windows", () => {
    const world = { ...calm, seed: 8, seconds: 90, pairsPerSecond: 1 };
    const { errors, outside } = follow(world, 40);
    expect(windowNsAt(1)).toBeGreaterThan(WINDOW_NS);
    expect(outside).toBe(0);
    expect(errors.length).toBeGreaterThan(80);
    expect(rms(errors.map((e) => e.errorNs))).toBeLessThan(2_000);
  });

  it("is within nanoseconds after ten seconds of five pairs a second", () => {
    const steep: World["delayNs"] = (random) =>
      10_000 + 6 * random.normal() + (random.uniform() < 0.4 ? random.exponential(3_000) : 0);
    const all = [12, 13, 14, 15].flatMap((seed) => {
      const world = { ...calm, seed, seconds: 30, pairsPerSecond: 5, delayNs: steep };
      const { errors, outside } = follow(world, 10);
      expect(outside).toBe(0);
      return errors;
    });
    const errorNs = rms(all.map((e) => e.errorNs));
    console.log(`edge, 5 pairs/s: ${errorNs.toFixed(1)} ns rms from 10 to 30 s (seeds 12 to 15)`);
    expect(errorNs).toBeLessThan(12);
  });

  it("begins anew when a raw clock has booted or a sender numbers its probes anew", () => {
    const tracker = new EdgeTracker();
    follow({ ...calm, seed: 9, seconds: 12 }, 0, tracker);
    let errors = 0;
    for (const { window, truthNs } of windows({ ...calm, seed: 10, seconds: 8 })) {
      // The clock of the other host has a new zero, and numbers fall back to 0.
      const fit = tracker.fit({
        ...window,
        otherBaseRawNs: window.otherBaseRawNs - OTHER_ZERO / 2n,
      });
      if (fit.trusted && Math.abs(fit.offsetNs - truthNs(fit.midNs)) > 300) errors++;
    }
    expect(errors).toBe(0);
  });

  it("does not repeat itself: what it says of a round with no new probes has hardly a weight", () => {
    const tracker = new EdgeTracker();
    let last: PlacedWindow | undefined;
    for (const { window } of windows({ ...calm, seed: 11, seconds: 20 })) {
      tracker.fit(window);
      last = window;
    }
    const again = tracker.fit(last!);
    expect(again.trusted && again.offsetSigmaNs).toBeGreaterThan(20);
  });

  it("goes on along its course when the neighbour was away for a moment", () => {
    const all = [21, 22, 23, 24].flatMap((seed) => {
      const tracker = new EdgeTracker();
      const errors: number[] = [];
      let round = 0;
      for (const { window, truthNs } of windows({ ...calm, seed, seconds: 20 })) {
        // Away from 15.0 s to 16.5 s: a whole window is there again at 18.5 s.
        const closeS = windowNsAt(calm.pairsPerSecond) * 1e-9 + round++ * ROUND_S;
        if (closeS < 15) tracker.fit(window);
        if (closeS < 16.9 || closeS > 17.1) continue;
        const since = (columns: ProbeColumns): ProbeColumns => {
          const from = columns.txNs.findIndex((ns) => ns > 1.5e9);
          const tail = (column: Float64Array) => column.slice(from);
          return {
            length: columns.length - from,
            probe: tail(columns.probe),
            txNs: tail(columns.txNs),
            rxNs: tail(columns.rxNs),
          };
        };
        const short = { ...window, forward: since(window.forward), reverse: since(window.reverse) };
        expect(new EdgeTracker().goOn(short)).toBeUndefined();
        const fit = tracker.goOn(short);
        if (!fit?.trusted) throw new Error("there is a course to go on along");
        const errorNs = fit.offsetNs - truthNs(fit.midNs);
        expect(errorNs).toBeLessThanOrEqual(fit.belowBoundNs + 1);
        expect(-errorNs).toBeLessThanOrEqual(fit.aboveBoundNs + 1);
        errors.push(errorNs / Math.hypot(fit.offsetSigmaNs, fit.slowSigmaNs));
        // What was told once is nothing new.
        expect(tracker.goOn(short)).toBeUndefined();
      }
      return errors;
    });
    expect(all).toHaveLength(4);
    expect(rms(all)).toBeLessThan(2);
  });
});
