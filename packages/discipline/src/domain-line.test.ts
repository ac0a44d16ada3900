import { rawNanos, unixNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { DomainLine, type DomainSegment } from "./domain-line.ts";

const segment = (rawNs: bigint, domainUnixNs: bigint, freqPpb: number): DomainSegment => ({
  rawNs: rawNanos(rawNs),
  domainUnixNs: unixNanos(domainUnixNs),
  domainFractionNs: 0,
  freqPpb,
});

const DAY = 86_400_000_000_000n;
const EPOCH = 1_795_000_000_000_000_000n;

test("a line counts raw time at its own rate", () => {
  const line = new DomainLine([segment(5n, EPOCH, 10_000)]);
  const at = line.at(rawNanos(1_000_000_005n));
  expect(at.unixNs).toBe(EPOCH + 1_000_010_000n);
  expect(at.fractionNs).toBeCloseTo(0, 6);
});

test("the segment that holds at an instant decides, the first one also before its start", () => {
  const line = new DomainLine([
    segment(0n, EPOCH, 0),
    segment(1_000_000n, EPOCH + 1_000_000n, 1e6),
  ]);
  expect(line.at(rawNanos(999_999n)).unixNs).toBe(EPOCH + 999_999n);
  expect(line.at(rawNanos(2_000_000n)).unixNs).toBe(EPOCH + 2_001_000n);
  expect(line.at(rawNanos(-1_000n)).unixNs).toBe(EPOCH - 1_000n);
  expect(line.meanFreqPpb(rawNanos(1_000_000n), 1e6)).toBeCloseTo(1e6, 3);
});

test("a fraction of a nanosecond survives a large instant", () => {
  const line = new DomainLine([{ ...segment(0n, EPOCH, 1), domainFractionNs: 0.75 }]);
  const at = line.at(rawNanos(500_000_000n));
  expect(at.unixNs).toBe(EPOCH + 500_000_001n);
  expect(at.fractionNs).toBeCloseTo(0.25, 6);
});

test("rawAt is the inverse of at, to the nanosecond, a day away as well", () => {
  const line = new DomainLine([segment(7n, EPOCH, -20_000), segment(DAY, EPOCH + DAY, 500_000)]);
  for (const rawNs of [100n, 123_456_789n, DAY + 5n, 2n * DAY]) {
    const back = line.rawAt(line.at(rawNanos(rawNs)).unixNs);
    expect(Math.abs(Number(back - rawNs))).toBeLessThanOrEqual(1);
  }
});

test("segments out of order are a fault of the caller", () => {
  expect(() => new DomainLine([segment(5n, EPOCH, 0), segment(5n, EPOCH, 0)])).toThrow(/rise/);
  expect(() => new DomainLine([])).toThrow(/segment/);
});
