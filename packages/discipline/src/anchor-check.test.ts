import { rawNanos, unixNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { type AnchorSample, compareWithAnchors, vouchedBasePpb } from "./anchor-check.ts";
import { DomainLine } from "./domain-line.ts";

const RAW = rawNanos(5_000_000_000n);
const DOMAIN = unixNanos(1_795_000_000_000_000_000n);
const lineOf = (aheadNs: number, ppb = 0) =>
  new DomainLine([
    {
      rawNs: RAW,
      domainUnixNs: unixNanos(DOMAIN + BigInt(aheadNs)),
      domainFractionNs: 0,
      freqPpb: ppb,
    },
  ]);
const sample: AnchorSample = {
  hostId: "a",
  rawNs: RAW,
  domainUnixNs: DOMAIN,
  fractionNs: 0,
  ratePpb: 0,
  rateSigmaPpb: 10,
  intervalNs: 10_000,
  boundNs: 5_000,
  basePpb: 0,
  vouched: true,
};
const three = [sample, sample, sample];

test("a line within interval and bounds is not contradicted, one beyond them is", () => {
  expect(compareWithAnchors(lineOf(29_000), 5_000, three).contradicts).toBe(false);
  expect(compareWithAnchors(lineOf(31_000), 5_000, three)).toMatchObject({
    contradicts: true,
    compared: 3,
    contradicting: 3,
    apartNs: 31_000,
  });
});

test("a bound of 1e300 buys no more than the cap", () => {
  expect(compareWithAnchors(lineOf(66_000), 1e300, three).contradicts).toBe(true);
  const liars = three.map((s) => ({ ...s, boundNs: 1e300 }));
  expect(compareWithAnchors(lineOf(101_000), 1e300, liars).contradicts).toBe(true);
});

test("a rate that the neighbours do not share is a contradiction before it has led anywhere", () => {
  expect(compareWithAnchors(lineOf(0, 1_900), 5_000, three).contradicts).toBe(false);
  expect(compareWithAnchors(lineOf(0, 2_100), 5_000, three).contradicts).toBe(true);
});

test("half of the neighbours are not enough, more than half are, nobody is nobody", () => {
  const liar = { ...sample, domainUnixNs: DOMAIN + 1_000_000n };
  expect(compareWithAnchors(lineOf(0), 0, [sample, sample, liar, liar]).contradicts).toBe(false);
  expect(compareWithAnchors(lineOf(0), 0, [sample, liar, liar]).contradicts).toBe(true);
  expect(compareWithAnchors(lineOf(0), 0, [])).toMatchObject({ compared: 0, contradicts: false });
});

test("what is no number contradicts", () => {
  const strange = three.map((s) => ({ ...s, fractionNs: Number.NaN }));
  expect(compareWithAnchors(lineOf(0), 0, strange).contradicts).toBe(true);
});

test("a rate is vouched for by two neighbours at least, by their median", () => {
  expect(vouchedBasePpb([sample])).toBeUndefined();
  const rates = [10, 900_000, 12].map((basePpb) => ({ ...sample, basePpb }));
  expect(vouchedBasePpb(rates)).toBe(12);
});
