import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { HostClock, UNIX_ZERO_NS } from "./host-clock.ts";
import { Mail } from "./mail.ts";
import { defaultSim } from "./options.ts";
import { Stamper, type StampSpec } from "./stamper.ts";

const still = {
  ...defaultSim.crystal,
  freqPpbMax: 0,
  wanderPpbMin: 0,
  wanderPpbMax: 0,
  swingPpb: 0,
};
const clean: StampSpec = {
  sigmaNs: 0,
  lateNs: 0,
  early: { share: 0, nsMin: 50, nsMax: 500 },
  slotNs: 0,
  slotOf: "sent",
};
const COUNT = 20_000;

/** Errors of stamps of pairs 10 us apart, 1 ms between pairs (ns). */
function errorsOf(spec: Partial<StampSpec>, way: "sent" | "received") {
  const clock = new HostClock(still, 0, new Prng(1));
  const stamper = new Stamper({ ...clean, ...spec }, new Prng(2));
  const mail = new Mail();
  const trueNs = (probe: number) => 1e9 + Math.floor(probe / 2) * 1e6 + (probe % 2) * 10_000;
  for (let probe = 0; probe < COUNT; probe++) mail.push(5, probe, trueNs(probe));
  const out = stamper[way](mail, clock);
  const errors: number[] = [];
  for (let i = 0; i < out.length; i++) {
    // Stamps are rounded down to whole nanoseconds: half of one on average.
    errors.push(Number(out.systemNs[i] - UNIX_ZERO_NS) + 0.5 - trueNs(out.probe[i]));
  }
  return { errors, probes: Array.from(out.probe.subarray(0, out.length)) };
}

const mean = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / x.length;
const deviation = (x: readonly number[]) => Math.sqrt(mean(x.map((v) => v * v)) - mean(x) ** 2);

test("a card's noise is normal, to both sides", () => {
  for (const way of ["sent", "received"] as const) {
    const { errors } = errorsOf({ sigmaNs: 10 }, way);
    expect(Math.abs(mean(errors))).toBeLessThan(0.6);
    expect(Math.abs(deviation(errors) - 10)).toBeLessThan(0.4);
    const beyond = errors.filter((ns) => Math.abs(ns) > 20).length / COUNT;
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.008);
  }
});

test("software stamps what it sends too early and what it receives too late", () => {
  const sent = errorsOf({ lateNs: 1_000 }, "sent").errors;
  const received = errorsOf({ lateNs: 1_000 }, "received").errors;
  expect(Math.max(...sent)).toBeLessThanOrEqual(1);
  expect(Math.min(...received)).toBeGreaterThanOrEqual(-1);
  expect(Math.abs(mean(sent) + 1_000)).toBeLessThan(30);
  expect(Math.abs(mean(received) - 1_000)).toBeLessThan(30);
});

test("the named share of receive stamps is early by what is named", () => {
  const early = { share: 0.08, nsMin: 50, nsMax: 500 };
  const { errors } = errorsOf({ early }, "received");
  const hit = errors.filter((ns) => ns < -10);
  expect(Math.abs(hit.length / COUNT - 0.08)).toBeLessThan(0.006);
  expect(Math.max(...hit)).toBeLessThan(-49);
  expect(Math.min(...hit)).toBeGreaterThan(-502);
  expect(errorsOf({ early }, "sent").errors.every((ns) => Math.abs(ns) < 1)).toBe(true);
});

test("a card with one slot stamps the first of a pair and not the second", () => {
  const first = Array.from({ length: COUNT / 2 }, (_, i) => 2 * i);
  expect(errorsOf({ slotNs: 20_000, slotOf: "sent" }, "sent").probes).toEqual(first);
  expect(errorsOf({ slotNs: 20_000, slotOf: "sent" }, "received").probes).toHaveLength(COUNT);
  expect(errorsOf({ slotNs: 20_000, slotOf: "both" }, "received").probes).toEqual(first);
  // A slot that is free again before the second probe comes takes both.
  expect(errorsOf({ slotNs: 5_000, slotOf: "both" }, "sent").probes).toHaveLength(COUNT);
});
