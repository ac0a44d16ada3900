import { describe, expect, it } from "vitest";
import { SteeredHost } from "./synthetic-carry.ts";

const SEED = 20260711;

describe("CarrySuspicion, in a carry", () => {
  it("does not take readings for another hand that all sit at one end of their brackets", () => {
    const host = new SteeredHost(SEED, 3_000);
    host.run(0, 1e9, 0.5);
    host.run(1e9, 1.5e9, 0.97);
    host.run(1.5e9, 2e9, 0.5);
    expect(host.carry.foreignBreakCount).toBe(0);
  });

  it.each([
    ["rate", 5000, 0],
    ["step", 0, 100_000],
  ])("notices a foreign hand on the %s and goes on", (_, changePpb, stepNs) => {
    const host = new SteeredHost(SEED, -8000);
    host.run(0, 1e9);
    host.write(1e9, changePpb, stepNs);
    host.run(1e9, 3e9);
    expect(host.carry.foreignBreakCount).toBe(1);
    expect(Math.abs(host.errorNs(0.5e9))).toBeLessThan(30);
    expect(Math.abs(host.errorNs(2.5e9))).toBeLessThan(30);
    expect(Math.abs(host.carry.rate() - (changePpb - 8000))).toBeLessThan(60);
  });

  it("sees no foreign hand on an undisturbed clock in ten minutes", () => {
    const host = new SteeredHost(SEED, 33_000);
    host.run(0, 600e9);
    expect(host.carry.foreignBreakCount).toBe(0);
    expect(Math.abs(host.errorNs(598e9))).toBeLessThan(30);
    const { sigmaNs, boundNs } = host.carry.worstSince(host.raw(597e9));
    expect(sigmaNs).toBeGreaterThanOrEqual(host.carry.sigmaNs);
    expect(boundNs).toBeGreaterThanOrEqual(host.carry.boundNs);
    expect(boundNs).toBeLessThan(300);
  });
});
