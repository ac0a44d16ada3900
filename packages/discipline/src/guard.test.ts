import { rawNanos, unixNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { DomainLine } from "./domain-line.ts";
import { guardCorrection, type Proposal, type Standing } from "./guard.ts";

const segment = {
  rawNs: rawNanos(1_000n),
  domainUnixNs: unixNanos(1_795_000_000_000_000_000n),
  domainFractionNs: 0,
  freqPpb: 12_000,
};
const proposal: Proposal = {
  term: 7n,
  round: 100n,
  segments: [segment],
  offsetSigmaNs: 10,
  freqSigmaPpb: 5,
  freqRateSigmaPpbPerS: 5,
  boundNs: 500,
  validForNs: 2e9,
  solvedRawNs: 3_000n,
  windowCloseRawNs: 4_000n,
  referencePullNs: -5,
  referenceMaxErrorNs: 1e6,
  heirBoundNs: 0,
};
const standing: Standing = {
  term: 7n,
  round: 99n,
  line: new DomainLine([segment]),
  lockedBefore: true,
  steers: true,
  jumpLimitNs: 200_000,
  ageS: 0.5,
  rawJumpNs: 0,
  basesPpb: [12_000],
};
const now = rawNanos(5_000n);
const reasonOf = (change: Partial<Proposal>): string => {
  const result = guardCorrection({ ...proposal, ...change }, standing, now);
  return result.ok ? "" : result.reason;
};

test("an ordinary correction is obeyed", () => {
  expect(guardCorrection(proposal, standing, now).ok).toBe(true);
});

test("an older term and an older round are refused, a newer term begins its own rounds", () => {
  expect(reasonOf({ term: 6n })).toContain("term 6 is older than 7");
  expect(reasonOf({ round: 99n })).toContain("round 99");
  expect(reasonOf({ term: 8n, round: 1n })).toBe("");
});

test.each([
  ["no segments", { segments: [] }],
  ["a frequency that is no number", { segments: [{ ...segment, freqPpb: Number.NaN }] }],
  ["a frequency beyond any crystal", { segments: [{ ...segment, freqPpb: 1e300 }] }],
  ["a pull that is no number", { referencePullNs: Number.NaN }],
  ["a negative maximum error of the reference", { referenceMaxErrorNs: -1 }],
  ["a window that closes an hour ahead", { windowCloseRawNs: 3_600_000_000_000n }],
  ["segments out of order", { segments: [segment, segment] }],
  ["a negative bound", { boundNs: -1 }],
  ["an infinite sigma", { offsetSigmaNs: Number.POSITIVE_INFINITY }],
  ["hundreds of segments", { segments: Array(200).fill(segment) }],
] as const)("%s are refused", (_, change) => {
  expect(reasonOf(change as Partial<Proposal>)).not.toBe("");
});

test("once locked, a line that jumps by a second is refused; before, it may", () => {
  const far = [{ ...segment, domainUnixNs: unixNanos(segment.domainUnixNs + 1_000_000_000n) }];
  expect(reasonOf({ segments: far })).toContain("jumps");
  const fresh = { ...standing, lockedBefore: false };
  expect(guardCorrection({ ...proposal, segments: far }, fresh, now).ok).toBe(true);
});

test("domain time that no message could say is refused, wherever its line begins, locked or not", () => {
  const fresh = { ...standing, lockedBefore: false };
  const end = 2n ** 63n - 1n;
  const early = { ...segment, rawNs: rawNanos(-end), domainUnixNs: unixNanos(end - 1_000n) };
  const latest = { ...segment, domainUnixNs: unixNanos(end) };
  for (const s of [early, latest]) {
    const result = guardCorrection({ ...proposal, segments: [s] }, fresh, now);
    expect(result.ok ? "" : result.reason).toMatch(/^domain time would be -?\d+ ns$/);
  }
  const in2199 = { ...segment, domainUnixNs: unixNanos(7_250_000_000_000_000_000n) };
  expect(guardCorrection({ ...proposal, segments: [in2199] }, fresh, now).ok).toBe(true);
});

test("a line that breaks within itself is refused, locked or not", () => {
  const later = { ...segment, rawNs: rawNanos(1_000_001_000n) };
  const broken = { ...later, domainUnixNs: unixNanos(segment.domainUnixNs + 1_000_100_000n) };
  const whole = { ...later, domainUnixNs: unixNanos(segment.domainUnixNs + 1_000_012_000n) };
  expect(reasonOf({ segments: [segment, broken] })).toContain("breaks by 88000 ns");
  expect(reasonOf({ segments: [segment, whole] })).toBe("");
});

test("a rate that leaves all that is known of it is refused, one that anchors vouch for is not", () => {
  const fast = { segments: [{ ...segment, freqPpb: 35_000 }] };
  expect(reasonOf(fast)).toContain("23.0 ppm off the learnt one");
  const vouched = { ...standing, basesPpb: [12_000, 24_000] };
  expect(guardCorrection({ ...proposal, ...fast }, vouched, now).ok).toBe(true);
});

test("a jump is measured against how far the raw clock itself has jumped", () => {
  const far = [{ ...segment, domainUnixNs: unixNanos(segment.domainUnixNs + 5_000_000_000n) }];
  const moved = { ...standing, rawJumpNs: 5e9 };
  expect(guardCorrection({ ...proposal, segments: far }, moved, now).ok).toBe(true);
});

test("after a silence a line may be where clocks can go meanwhile, and not further", () => {
  const far = [{ ...segment, domainUnixNs: unixNanos(segment.domainUnixNs + 1_000_000n) }];
  const after = (ageS: number) =>
    guardCorrection({ ...proposal, segments: far }, { ...standing, ageS }, now).ok;
  expect([after(0.5), after(300)]).toEqual([false, true]);
});

test("a line that is refused for its jump alone is handed on, one that is strange otherwise is not", () => {
  const away = { ...segment, domainUnixNs: unixNanos(segment.domainUnixNs + 300_000n) };
  const jumped = guardCorrection({ ...proposal, segments: [away] }, standing, now);
  expect(jumped).toMatchObject({ ok: false, reason: expect.stringContaining("jumps by 300000") });
  expect(!jumped.ok && jumped.jumped?.last).toMatchObject(away);
  const fast = { ...away, freqPpb: segment.freqPpb + 40_000 };
  const strange = guardCorrection({ ...proposal, segments: [fast] }, standing, now);
  expect(strange).toMatchObject({ ok: false, reason: expect.stringContaining("its rate is 40.0") });
  expect(strange).not.toHaveProperty("jumped");
});
