import { create } from "@bufbuild/protobuf";
import { EdgeFitSchema } from "@ttcs/protocol";
import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { Aligner, fromLogPpb } from "./alignment.ts";

/** Hosts whose raw clocks run at constant rates; true time in ns. */
const world = (seed: number, count: number) => {
  const prng = new Prng(seed);
  return Array.from({ length: count }, () => ({
    zero: BigInt(Math.floor(prng.between(1e12, 9e15))),
    freqPpb: prng.between(-20_000, 20_000),
  }));
};
type Clock = ReturnType<typeof world>[number];
const raw = (c: Clock, atNs: number): bigint =>
  c.zero + BigInt(Math.round(atNs + atNs * c.freqPpb * 1e-9));

/** An exact fit of edge a-b whose window is centred at true time `midNs`. */
function fit(hosts: Clock[], a: number, b: number, midNs: number) {
  const [ca, cb] = [hosts[a], hosts[b]];
  const ownerBaseRawNs = raw(ca, midNs - 1e9);
  const otherBaseRawNs = raw(cb, midNs - 1e9);
  const mid = Number(raw(ca, midNs) - ownerBaseRawNs);
  return create(EdgeFitSchema, {
    owner: a + 1,
    other: b + 1,
    ownerBaseRawNs,
    otherBaseRawNs,
    midNs: mid,
    offsetNs: Number(raw(cb, midNs) - otherBaseRawNs) - mid,
    freqPpb: ((1 + cb.freqPpb * 1e-9) / (1 + ca.freqPpb * 1e-9) - 1) * 1e9,
    offsetSigmaNs: 10,
    freqSigmaPpb: 10,
    belowBoundNs: 1000,
    aboveBoundNs: 1000,
  });
}

test("exact fits at different instants, walked in both directions, leave no surplus", () => {
  const hosts = world(11, 5);
  const fits = [
    fit(hosts, 0, 1, 1_000_000_000),
    fit(hosts, 2, 1, 1_003_000_000),
    fit(hosts, 2, 3, 500_000_000),
    fit(hosts, 3, 0, 1_100_000_000),
    fit(hosts, 4, 2, 990_000_000),
    fit(hosts, 4, 0, 1_000_000_500),
  ];
  const at = 1_050_000_000;
  const aligned = new Aligner().align(1, raw(hosts[0], at), fits);
  expect([...aligned.hosts].sort()).toEqual([1, 2, 3, 4, 5]);
  for (let e = 0; e < aligned.edgeCount; e++)
    expect(Math.abs(aligned.surplusNs[e])).toBeLessThan(5);
  aligned.hosts.forEach((number, row) => {
    const truth = raw(hosts[number - 1], at);
    const said = Number(aligned.baseRawNs[row] - truth) + aligned.restNs[row];
    expect(Math.abs(said)).toBeLessThan(5);
  });
});

test("relative frequencies add up round a loop in the logarithm, not in ppb", () => {
  const hosts = [
    { zero: 0n, freqPpb: 0 },
    { zero: 5n, freqPpb: 20_000 },
    { zero: 9n, freqPpb: -20_000 },
  ];
  const fits = [fit(hosts, 0, 1, 1e9), fit(hosts, 1, 2, 1e9), fit(hosts, 2, 0, 1e9)];
  const aligned = new Aligner().align(1, 1_000_000_000n, fits);
  const loop = [...aligned.logFreqPpb].reduce((sum, f) => sum + f, 0);
  expect(Math.abs(loop)).toBeLessThan(0.001);
  expect(Math.abs(fits.reduce((sum, f) => sum + f.freqPpb, 0))).toBeGreaterThan(0.3);
  expect(fromLogPpb(aligned.logFreqPpb[0])).toBeCloseTo(20_000, 6);
});

test("hosts that no fit reaches are left out", () => {
  const hosts = world(3, 4);
  const aligned = new Aligner().align(1, raw(hosts[0], 1e9), [
    fit(hosts, 0, 1, 1e9),
    fit(hosts, 2, 3, 1e9),
  ]);
  expect(aligned.hosts).toEqual([1, 2]);
  expect(aligned.edgeCount).toBe(1);
});
