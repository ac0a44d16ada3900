import { rawNanos, unixNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { Ledger } from "./accumulated.ts";
import { DomainLine } from "./domain-line.ts";
import { ACCUMULATED_LIMIT_NS } from "./limits.ts";

const ZERO = 1_795_000_000_000_000_000n;

/** The line that stands `aheadNs` ahead of raw at `atS` and gains `ppb`. */
const lineAt = (atS: number, aheadNs: number, ppb: number) =>
  new DomainLine([
    {
      rawNs: rawNanos(BigInt(Math.round(atS * 1e9))),
      domainUnixNs: unixNanos(ZERO + BigInt(Math.round(atS * 1e9 + aheadNs))),
      domainFractionNs: 0,
      freqPpb: ppb,
    },
  ]);

/** Obeys a correction every half second; `ppbAt` is the pace of domain time. */
function follow(ledger: Ledger, fromS: number, seconds: number, ppbAt: (s: number) => number) {
  let aheadNs = fromS * ppbAt(fromS);
  let worstNs = 0;
  let burstNs = 0;
  for (let s = fromS; s < fromS + seconds; s += 0.5) {
    const ppb = ppbAt(s);
    const now = rawNanos(BigInt(Math.round(s * 1e9)));
    const line = lineAt(s, aheadNs, ppb);
    const entry = ledger.propose(line, now);
    ledger.commit(line, now);
    aheadNs += ppb * 0.5;
    worstNs = Math.max(worstNs, Math.abs(entry?.accumulatedNs ?? 0));
    burstNs = Math.max(burstNs, Math.abs(entry?.burstNs ?? 0));
  }
  return { worstNs, burstNs };
}

const learnt = (basePpb: number) => {
  const ledger = new Ledger();
  ledger.begin(basePpb);
  follow(ledger, 0, 2_000, () => basePpb);
  return ledger;
};

test("a clock that keeps its pace accumulates nothing, whatever that pace is", () => {
  const ledger = learnt(-37_000);
  expect(Math.abs(ledger.state!.accumulatedNs)).toBeLessThan(1);
  expect(ledger.state!.basePpb).toBeCloseTo(-37_000, 3);
});

test("a far pull of 10 ppm for a day is legal, and nothing bursts", () => {
  const { worstNs, burstNs } = follow(learnt(0), 2_000, 86_400, (s) => (s > 2_010 ? 10_000 : 0));
  console.log(
    `10 ppm for a day: ${(worstNs / 1e6).toFixed(2)} of ${ACCUMULATED_LIMIT_NS / 1e6} ms`,
  );
  expect(worstNs).toBeLessThan(0.85 * ACCUMULATED_LIMIT_NS);
  expect(burstNs).toBe(0);
});

test("crystals that swing by 1 ppm accumulate next to nothing", () => {
  const swing = (s: number) => 1_000 * Math.sin((2 * Math.PI * s) / 3_600);
  expect(follow(learnt(0), 2_000, 40_000, swing).worstNs).toBeLessThan(1.5e6);
});

test("a pace that keeps ahead of what is learnt ends in a panic", () => {
  // 12 ppm more than learnt, all the time: within the limit on rates.
  const ledger = learnt(0);
  let aheadNs = 0;
  let s = 2_000;
  for (; Math.abs(ledger.state!.accumulatedNs) < ACCUMULATED_LIMIT_NS && s < 9_000; s += 0.5) {
    const ppb = ledger.state!.basePpb + 12_000;
    ledger.commit(lineAt(s, aheadNs, ppb), rawNanos(BigInt(Math.round(s * 1e9))));
    aheadNs += ppb * 0.5;
  }
  console.log(`panic after ${s - 2_000} s, ${(aheadNs / 1e6).toFixed(1)} ms`);
  expect(s - 2_000).toBeLessThan(900);
});

test("a staircase of small jumps bursts at the third step of 90 us", () => {
  const ledger = learnt(0);
  const bursts = [1, 2, 3].map((step) => {
    const s = 2_000 + step * 0.5;
    const now = rawNanos(BigInt(Math.round(s * 1e9)));
    const line = lineAt(s, step * 90_000, 0);
    const { burstNs } = ledger.propose(line, now)!;
    ledger.commit(line, now);
    return burstNs;
  });
  expect(bursts[1]).toBeLessThan(200_000);
  expect(bursts[2]).toBeGreaterThan(200_000);
});

test("what a crystal may do unheard of is not counted after a silence", () => {
  const ledger = learnt(0);
  const jumped = lineAt(2_600, 1e6, 0);
  expect(ledger.propose(jumped, rawNanos(2_600_000_000_000n))!.accumulatedNs).toBe(0);
  expect(ledger.propose(jumped, rawNanos(2_000_000_000_000n))!.accumulatedNs).toBeGreaterThan(9e5);
});

test("an account goes on where an earlier life has left it", () => {
  const saved = { basePpb: 5, learntS: 800, accumulatedNs: 9e6 };
  expect(new Ledger(saved).state).toEqual(saved);
  const ledger = new Ledger(saved);
  ledger.begin(77);
  expect(ledger.state).toEqual(saved);
});
