import { Prng, rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { Crystal, type CrystalSpec } from "./crystal.ts";
import { HostClock, UNIX_ZERO_NS } from "./host-clock.ts";
import { readTriples } from "./triples.ts";

const still: CrystalSpec = {
  freqPpbMax: 0,
  wanderPpbMin: 0,
  wanderPpbMax: 0,
  swingPpb: 0,
  swingPeriodSMin: 60,
  swingPeriodSMax: 60,
};

test("a crystal's error lies within its limit, and its walk grows with the square root of time", () => {
  const spec = { ...still, freqPpbMax: 20_000, wanderPpbMin: 5, wanderPpbMax: 5 };
  let square = 0;
  const count = 400;
  for (let seed = 0; seed < count; seed++) {
    const crystal = new Crystal(spec, new Prng(seed));
    expect(Math.abs(crystal.freqPpb)).toBeLessThanOrEqual(20_000);
    square += (crystal.freqPpbAt(4e9) - crystal.freqPpb) ** 2;
  }
  // 5 ppb per square root of a second makes 10 ppb after 4 s.
  expect(Math.sqrt(square / count)).toBeGreaterThan(9);
  expect(Math.sqrt(square / count)).toBeLessThan(11);
});

test("a swing of 1 ppm in 60 s changes the frequency by 0.105 ppm a second at the most", () => {
  const crystal = new Crystal({ ...still, swingPpb: 1_000 }, new Prng(1));
  let fastest = 0;
  let largest = 0;
  for (let s = 0; s < 60; s += 0.5) {
    const ppb = crystal.freqPpbAt(s * 1e9);
    largest = Math.max(largest, Math.abs(ppb));
    fastest = Math.max(fastest, Math.abs(crystal.freqPpbAt((s + 0.02) * 1e9) - ppb) / 0.02);
  }
  expect(largest).toBeGreaterThan(990);
  expect(largest).toBeLessThanOrEqual(1_000);
  expect(fastest).toBeGreaterThan(100);
  expect(fastest).toBeLessThan(106);
});

test("the phase is the integral of the frequency", () => {
  const spec = { ...still, freqPpbMax: 20_000, wanderPpbMin: 10, wanderPpbMax: 10, swingPpb: 500 };
  const crystal = new Crystal(spec, new Prng(4));
  let sumNs = 0;
  for (let knot = 0; knot < 500; knot++) {
    const mean = (crystal.freqPpbAt(knot * 20e6) + crystal.freqPpbAt((knot + 1) * 20e6)) / 2;
    sumNs += mean * 1e-9 * 20e6;
  }
  expect(crystal.phaseNs(10e9)).toBeCloseTo(sumNs, 3);
  // Smooth across a knot.
  const apartNs = crystal.phaseNs(10e9 + 1) - crystal.phaseNs(10e9 - 1);
  expect(Math.abs(apartNs)).toBeLessThan(1e-4);
});

test("a system clock runs as it is told from the next tick on, and remembers how it ran before", () => {
  const clock = new HostClock(still, 500, new Prng(1));
  clock.adjust(1e9 + 1, 100_000);
  clock.step(2e9, -7_000);
  // 100 ppm from the tick at 1.004 s on.
  expect(clock.systemNsAt(1e9)).toBeCloseTo(1e9 + 500, 3);
  expect(clock.systemNsAt(1.5e9)).toBeCloseTo(1.5e9 + 500 + 0.496e9 * 1e-4, 3);
  expect(clock.systemNsAt(2.5e9)).toBeCloseTo(2.5e9 - 6_500 + 1.496e9 * 1e-4, 3);
  clock.disturb(3e9, 50_000);
  const before = clock.systemNsAt(3e9);
  expect(clock.systemNsAt(4e9) - before).toBeCloseTo(1e9 * (1 + 1.5e-4), 2);
  expect(clock.settingPpb).toBe(100_000);
});

test("a boot gives the raw clock a new zero and moves the system clock by the battery clock's error", () => {
  const clock = new HostClock({ ...still, freqPpbMax: 20_000 }, 0, new Prng(2));
  const systemNs = clock.systemNsAt(5e9);
  clock.reboot(5e9, -1e9);
  expect(Number(clock.rawAt(5e9))).toBe(10e9);
  expect(clock.systemNsAt(5e9) - systemNs).toBeCloseTo(-1e9, 3);
  expect(clock.settingPpb).toBe(0);
});

test("readings lie between their brackets, to the nanosecond that clocks show", () => {
  const clock = new HostClock({ ...still, freqPpbMax: 20_000 }, -3e6, new Prng(3));
  const t = readTriples(clock, 1e9, 2e9, 1_000, new Prng(4));
  const ratio = 1 + clock.freqPpbAt(1e9) * 1e-9;
  for (let i = 0; i < t.length; i++) {
    const before = Number(t.rawBeforeNs[i] - clock.rawZeroNs);
    const after = Number(t.rawAfterNs[i] - clock.rawZeroNs);
    // The system clock is raw less 3 ms here: no setting has been written.
    const system = Number(t.systemNs[i] - UNIX_ZERO_NS) + 3e6;
    expect(after).toBeGreaterThan(before);
    expect(system).toBeGreaterThanOrEqual(before - 1);
    expect(system).toBeLessThanOrEqual(after + 1);
    expect(before).toBeGreaterThan(0.9e9 * ratio);
  }
  expect(clock.rawAt(2e9)).toBe(rawNanos(clock.rawZeroNs + BigInt(Math.floor(clock.rawNsAt(2e9)))));
});
