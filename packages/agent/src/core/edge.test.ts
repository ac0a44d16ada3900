import { create } from "@bufbuild/protobuf";
import {
  type ExchangeFlush,
  ExchangeFlushSchema,
  NeighbourSchema,
  packStamps,
} from "@ttcs/protocol";
import { addNs, Prng, rawNanos, WINDOW_NS } from "@ttcs/units";
import { expect, test } from "vitest";
import { Edge } from "./edge.ts";
import type { EndStamps } from "./stamp-series.ts";

/** B is 3 ms ahead of A at the start of the window and gains 12 000 ppb; both ways take 20 us. */
const AHEAD_NS = 3_000_000;
const GAIN_PPB = 12_000;
const DELAY_NS = 20_000;
const ZERO_A = rawNanos(5_000_000_000_000n);
const ZERO_B = rawNanos(900_000_000_000_000n);

const onA = (trueNs: number) => trueNs;
const onB = (trueNs: number) => trueNs + AHEAD_NS + trueNs * GAIN_PPB * 1e-9;

const ends = (owner: boolean, number: number) =>
  new Edge(create(NeighbourSchema, { hostId: `n${number}`, hostNumber: number, owner }));

const flushOf = (end: EndStamps): ExchangeFlush => {
  const pack = (s: EndStamps["sent"]) => packStamps(s.probe, s.ns, s.length);
  return create(ExchangeFlushSchema, {
    header: { domain: "default", round: 9n },
    baseRawNs: end.baseRawNs,
    sent: pack(end.sent),
    received: pack(end.received),
    carrySigmaNs: 5,
    carryBoundNs: 100,
  });
};

/** Both ends of one edge after 1.9 s of probes in both directions; A owns it. */
function exchanged(): { a: Edge; b: Edge } {
  const a = ends(true, 2);
  const b = ends(false, 1);
  a.own.slideTo(ZERO_A);
  b.own.slideTo(addNs(ZERO_B, AHEAD_NS));
  a.own.carry = { sigmaNs: 5, boundNs: 100 };
  b.own.carry = { sigmaNs: 5, boundNs: 100 };
  const prng = new Prng(5);
  for (let pair = 0; pair < 95; pair++) {
    for (const slot of [0, 1]) {
      const probe = 2 * pair + slot;
      const sentNs = pair * 20e6 + slot * 10_000 + 1_000;
      const arrived = () => sentNs + DELAY_NS + prng.exponential(300);
      a.own.sent.push(probe, Math.round(onA(sentNs)));
      b.own.received.push(probe, Math.round(onB(arrived()) - AHEAD_NS));
      b.own.sent.push(probe, Math.round(onB(sentNs) - AHEAD_NS));
      a.own.received.push(probe, Math.round(onA(arrived())));
    }
  }
  expect(a.takeFlush(flushOf(b.own), WINDOW_NS)).toBeUndefined();
  expect(b.takeFlush(flushOf(a.own), WINDOW_NS)).toBeUndefined();
  return { a, b };
}

/** What a fit says of B minus A (ns) at the owner's true time of 1 s, zeros included. */
const saidNs = (fit: ReturnType<Edge["fit"]>) => {
  const ownerNs = 1e9 + Number(ZERO_A - fit.ownerBaseRawNs);
  const zeros = Number(fit.otherBaseRawNs - ZERO_B) - Number(fit.ownerBaseRawNs - ZERO_A);
  return fit.offsetNs + fit.freqPpb * 1e-9 * (ownerNs - fit.midNs) + zeros;
};

test("the owner's fit finds the other clock, and is within its own bound", () => {
  const fit = exchanged().a.fit(1, WINDOW_NS);
  expect(fit).toMatchObject({ owner: 1, other: 2, audit: false, distrust: "" });
  const truthNs = AHEAD_NS + GAIN_PPB;
  expect(Math.abs(saidNs(fit) - truthNs)).toBeLessThan(100);
  expect(fit.belowBoundNs).toBeGreaterThan(DELAY_NS * 0.9);
  expect(fit.delayForwardNsMin).toBeCloseTo(DELAY_NS, -3);
});

test("the other end's audit speaks of the same thing in the same roles", () => {
  const { a, b } = exchanged();
  const owned = a.fit(1, WINDOW_NS);
  const audit = b.fit(2, WINDOW_NS);
  expect(audit).toMatchObject({ owner: 1, other: 2, audit: true, distrust: "" });
  expect(Math.abs(saidNs(audit) - saidNs(owned))).toBeLessThan(20);
  expect(audit.freqPpb).toBeCloseTo(owned.freqPpb, -1);
});

test("half a window is not fitted yet, and says so", () => {
  const { a } = exchanged();
  a.own.slideTo(addNs(ZERO_A, 1_000_000_000));
  expect(a.fit(1, WINDOW_NS).distrust).toMatch(/only 0\.9 s of probes so far/);
});

test("a flush that contradicts itself is refused and leaves nothing behind", () => {
  const { a, b } = exchanged();
  const before = a.peer.sent.length;
  const broken = flushOf(b.own);
  broken.received!.probeStep.pop();
  expect(a.takeFlush(broken, WINDOW_NS)).toMatch(/do not agree/);
  expect(a.takeFlush({ ...flushOf(b.own), carrySigmaNs: Number.NaN }, WINDOW_NS)).toMatch(
    /carry error/,
  );
  expect(a.peer.sent.length).toBe(before);
});

test("a neighbour that has booted is heard anew, and nothing of its old clock stays", () => {
  const { a, b } = exchanged();
  const booted = flushOf(b.own);
  booted.baseRawNs = 7_000_000_000n;
  expect(a.takeFlush(booted, WINDOW_NS)).toBeUndefined();
  expect(a.peer.sent.length).toBe(b.own.sent.length);
  expect(a.peer.sent.ns[0]).toBeLessThan(2e9);
  const fresh = flushOf(b.own);
  fresh.baseRawNs = 7_500_000_000n;
  a.takeFlush(fresh, WINDOW_NS);
  for (let i = 0; i < a.peer.sent.length; i++) expect(a.peer.sent.ns[i]).toBeLessThanOrEqual(2e9);
});

test("flushes without end do not grow the memory without end", () => {
  const { a } = exchanged();
  for (let i = 0; i < 50; i++) {
    const first = BigInt(i * 5_000);
    const stampNs = Array.from({ length: 5_000 }, (_, k) => k);
    const sent = { firstProbe: first, probeStep: Array(4_999).fill(1), stampNs };
    const header = { domain: "default", round: 10n };
    a.takeFlush(create(ExchangeFlushSchema, { header, baseRawNs: ZERO_B, sent }), WINDOW_NS);
  }
  expect(a.peer.sent.length).toBeLessThanOrEqual(8_192);
});

test("a long window outlives a few lost flushes", () => {
  const a = ends(true, 2);
  const windowNs = 8 * WINDOW_NS;
  const flushAt = (round: number) => {
    const base = addNs(ZERO_B, round * 5e8);
    const stamps = packStamps(Float64Array.of(round), Float64Array.of(1.9e9), 1);
    return create(ExchangeFlushSchema, { baseRawNs: base, sent: stamps, received: stamps });
  };
  for (let round = 0; round < 20; round++) a.takeFlush(flushAt(round), windowNs);
  a.takeFlush(flushAt(24), windowNs);
  expect(a.peer.sent.length).toBe(21);
});

test("a neighbour that was away for a moment is stood in for until its window is full again", () => {
  const { a, b } = exchanged();
  const spoken = (end: Edge, of: Edge, round: bigint) => {
    const flush = flushOf(of.own);
    flush.header!.round = round;
    end.takeFlush(flush, WINDOW_NS);
  };
  spoken(b, a, 10n);
  // One lost flush is no absence.
  spoken(b, a, 12n);
  expect(b.standsIn(12n)).toBe(false);
  spoken(b, a, 16n);
  expect(b.standsIn(16n)).toBe(true);
  expect(b.standsIn(21n)).toBe(true);
  expect(b.standsIn(22n)).toBe(false);
  spoken(b, a, 2n ** 60n);
  expect(b.standsIn(23n)).toBe(false);
  // The owner fits every round anyway.
  spoken(a, b, 20n);
  expect(a.standsIn(20n)).toBe(false);
});
