import { rawNanos, unixNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import type { AnchorSample } from "./anchor-check.ts";
import { Confirmation, isConfirmed } from "./confirmation.ts";
import { DomainLine } from "./domain-line.ts";

const RAW = rawNanos(1_000_000_000n);
const DOMAIN = 1_795_000_000_000_000_000n;
const lineOf = (aheadNs: number) =>
  new DomainLine([
    {
      rawNs: RAW,
      domainUnixNs: unixNanos(DOMAIN + BigInt(aheadNs)),
      domainFractionNs: 0,
      freqPpb: 0,
    },
  ]);
const anchor: AnchorSample = {
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
const mute = { ...anchor, vouched: false };
const proposed = { line: lineOf(0), boundNs: 12_000 };
const wrong = lineOf(400_000);

test("a line is confirmed where most anchors vouch for it, and against the one in force", () => {
  expect(isConfirmed(proposed, wrong, [anchor, anchor, mute])).toBe(true);
  expect(isConfirmed(proposed, wrong, [anchor, anchor, mute, mute])).toBe(false);
  expect(isConfirmed(proposed, wrong, [anchor])).toBe(false);
  expect(isConfirmed(proposed, wrong, [])).toBe(false);
});

test("a line that anchors contradict is not confirmed, nor one where they do not mind the old", () => {
  const bent = { line: lineOf(-400_000), boundNs: 12_000 };
  expect(isConfirmed(bent, wrong, [anchor, anchor, anchor])).toBe(false);
  expect(isConfirmed(bent, lineOf(0), [anchor, anchor, anchor])).toBe(false);
  const vague = { ...anchor, intervalNs: 500_000 };
  expect(isConfirmed(proposed, wrong, [vague, vague, vague])).toBe(false);
});

test("it takes three seconds without a break", () => {
  const confirmation = new Confirmation();
  const hears = (atS: number, confirmed = true) =>
    confirmation.hears(confirmed, rawNanos(BigInt(Math.round(atS * 1e9))));
  const heard = (from: number) =>
    [0, 0.5, 1, 1.5, 2, 2.5, 3].map((s) => hears(from + s)).lastIndexOf(false);
  expect(heard(10)).toBe(5);
  confirmation.reset();
  // A single round that is not confirmed, or a silence, and it begins anew.
  expect(heard(20)).toBe(5);
  expect(hears(23.5, false)).toBe(false);
  expect(heard(24)).toBe(5);
  expect(hears(28)).toBe(true);
  expect(hears(32)).toBe(false);
});
