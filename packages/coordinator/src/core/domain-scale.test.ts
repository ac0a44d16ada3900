import { create } from "@bufbuild/protobuf";
import { SourceLineSchema } from "@ttcs/protocol";
import { rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { DomainScale } from "./domain-scale.ts";

const EPOCH = 1_795_000_000_000_000_000n;
const ROUND = 500_000_000n;

/** The reference's line at raw instant `rawNs`: runs at `freqPpb`, `aheadNs` beside nominal. */
const source = (rawNs: bigint, freqPpb: number, aheadNs = 0, steered = false) =>
  create(SourceLineSchema, {
    rawNs,
    systemUnixNs: EPOCH + rawNs + BigInt(Math.round(Number(rawNs) * freqPpb * 1e-9 + aheadNs)),
    freqPpb,
    maxErrorNs: 1e6,
    synchronised: true,
    steered,
  });

/** Lets `rounds` pass; returns the largest step of the line seen at any instant (ns). */
function pass(scale: DomainScale, rounds: number, from: bigint, line: (raw: bigint) => unknown) {
  let worstNs = 0;
  for (let i = 1n; i <= rounds; i++) {
    const raw = from + i * ROUND;
    const before = scale.line();
    scale.advance(rawNanos(raw), line(raw) as never);
    const after = scale.line();
    for (const ahead of [0n, ROUND / 2n]) {
      const at = rawNanos(raw + ahead);
      worstNs = Math.max(worstNs, Math.abs(Number(after.at(at).unixNs - before.at(at).unixNs)));
    }
  }
  return worstNs;
}

test("domain time begins at the reference's system clock and runs with it", () => {
  const scale = DomainScale.from(source(1_000_000_000n, 8_000));
  pass(scale, 40, 1_000_000_000n, (raw) => source(raw, 8_000));
  expect(Math.abs(scale.pullNs)).toBeLessThan(1);
});

test("a new rate is announced before it begins: what was said of the next half second stays", () => {
  const scale = DomainScale.from(source(0n, 0));
  const worstNs = pass(scale, 100, 0n, (raw) => source(raw, 400, 50_000));
  expect(worstNs).toBeLessThanOrEqual(1);
});

test("a step of the reference's clock by 50 us is followed at 1 ppm at most, never by a step", () => {
  const scale = DomainScale.from(source(0n, 0));
  let fastestPpb = 0;
  pass(scale, 400, 0n, (raw) => {
    fastestPpb = Math.max(fastestPpb, Math.abs(scale.line().last.freqPpb));
    return source(raw, 0, 50_000);
  });
  expect(fastestPpb).toBeLessThanOrEqual(1_000);
  expect(fastestPpb).toBeGreaterThan(400);
  // 200 s at the time constant of 100 s: most of it is gone, and nothing overshot.
  expect(scale.pullNs).toBeLessThan(0);
  expect(Math.abs(scale.pullNs)).toBeLessThan(15_000);
});

test("beyond 100 us the pull may reach 10 ppm", () => {
  const scale = DomainScale.from(source(0n, 0));
  let fastestPpb = 0;
  pass(scale, 600, 0n, (raw) => {
    fastestPpb = Math.max(fastestPpb, Math.abs(scale.line().last.freqPpb));
    return source(raw, 0, 2_000_000);
  });
  expect(fastestPpb).toBeGreaterThan(5_000);
  expect(fastestPpb).toBeLessThanOrEqual(10_000);
});

test("a clock that our own discipline writes is not followed", () => {
  const scale = DomainScale.from(source(0n, 300));
  pass(scale, 100, 0n, (raw) => source(raw, 300, 50_000, true));
  expect(scale.line().last.freqPpb).toBe(300);
  expect(scale.pullNs).toBe(0);
});
