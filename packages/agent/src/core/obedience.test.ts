import { create } from "@bufbuild/protobuf";
import type { AnchorSample } from "@ttcs/discipline";
import { CorrectionSchema, HeaderSchema } from "@ttcs/protocol";
import { rawNanos, unixNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { AnchorWatch } from "./anchor-watch.ts";
import { Obedience } from "./obedience.ts";

const DOMAIN = 1_795_000_000_000_000_000n;
const raw = (s: number) => rawNanos(BigInt(Math.round(s * 1e9)));

/** Edges to five anchors that show domain time where `errorNs` is 0. */
class Anchors extends AnchorWatch {
  voices: AnchorSample[] = [];
  /** Intervals of the edges; undefined: as they are heard. */
  mixed: readonly number[] | undefined;

  override get samples() {
    return this.voices;
  }

  override get intervalNs() {
    return this.voices[0]?.intervalNs ?? Number.NaN;
  }

  hear(atS: number, intervalNs: number, aheadNs = 0, vouched = true): this {
    const voice: AnchorSample = {
      hostId: "a",
      rawNs: raw(atS),
      domainUnixNs: unixNanos(DOMAIN + raw(atS) + BigInt(aheadNs)),
      fractionNs: 0,
      ratePpb: 0,
      rateSigmaPpb: 100,
      intervalNs,
      boundNs: 1_000,
      basePpb: 0,
      vouched,
    };
    const intervals = this.mixed ?? Array<number>(5).fill(intervalNs);
    this.voices = intervals.map((ns) => ({ ...voice, intervalNs: ns }));
    return this;
  }
}

/** An agent that is told where domain time is twice a second. */
class Told {
  readonly obedience: Obedience;
  readonly anchors = new Anchors();
  atS = 10;

  constructor(steers = true) {
    this.obedience = new Obedience(steers);
    expect(this.tell(0, 10_000)).toBeUndefined();
    this.obedience.locked(raw(this.atS));
  }

  /** @returns why the line is refused that is ahead by so much */
  tell(aheadNs: number, intervalNs: number, shownNs = aheadNs, vouched = true) {
    this.atS += 0.5;
    const now = raw(this.atS);
    const correction = create(CorrectionSchema, {
      segments: [
        {
          rawNs: now,
          domainUnixNs: DOMAIN + now + BigInt(aheadNs),
          domainFractionNs: 0,
          freqPpb: 0,
        },
      ],
      boundNs: intervalNs,
      isReference: true,
      excessPpb: 7,
      solvedRawNs: now,
      windowCloseRawNs: now,
      trusted: true,
    });
    const header = create(HeaderSchema, { term: 1n, round: BigInt(Math.round(2 * this.atS)) });
    this.anchors.hear(this.atS, intervalNs, shownNs, vouched);
    return this.obedience.take(header, correction, now, this.anchors);
  }
}

test("a line that was obeyed over wide intervals may come back by as much when they are narrow", () => {
  const host = new Told();
  for (const aheadNs of [0, 334_000, 334_000]) {
    expect(host.tell(aheadNs, 340_000)).toBeUndefined();
  }
  expect(host.tell(0, 11_000)).toBeUndefined();
  // The line in force is a sharp one again: a jump of the same size is refused.
  expect(host.tell(334_000, 11_000)).toMatch(/^the line jumps by 334000 ns, the limit is 2/);
});

test("a line that one anchor contradicts already is as wide as before: the rest is yet to come", () => {
  const host = new Told();
  host.tell(334_000, 340_000);
  // Of four edges two have seen the delay end; the middle interval is a narrow one.
  host.anchors.mixed = [11_000, 11_000, 340_000, 340_000];
  expect(host.tell(334_000, 340_000, 0)).toBeUndefined();
  host.anchors.mixed = undefined;
  expect(host.tell(0, 11_000)).toBeUndefined();
});

test("a jump beyond the limit is obeyed once the anchors vouch for it for three seconds", () => {
  const host = new Told();
  const reasons = Array.from({ length: 7 }, () => host.tell(600_000, 11_000));
  expect(reasons.slice(0, 6).every((r) => r?.startsWith("the line jumps by 6000"))).toBe(true);
  expect(reasons[6]).toBeUndefined();
  // What the anchors have vouched for is not held against the lines that follow.
  expect(host.tell(600_000, 11_000)).toBeUndefined();
});

test("a jump that the anchors contradict, or do not vouch for, is refused for good", () => {
  for (const [shownNs, vouched] of [
    [0, true],
    [600_000, false],
  ] as const) {
    const host = new Told();
    for (let i = 0; i < 60; i++) {
      expect(host.tell(600_000, 11_000, shownNs, vouched)).toContain("the line jumps by");
    }
  }
});

test("who refuses what it is told, was never LOCKED or steers no clock vouches for nothing", () => {
  const host = new Told();
  const vouched = ({ obedience, atS }: Told) => obedience.heldAt(raw(atS))?.vouched;
  expect(vouched(host)).toBe(true);
  host.tell(600_000, 11_000, 0);
  expect(vouched(host)).toBe(false);
  expect(vouched(new Told(false))).toBe(false);
  const young = new Obedience(true);
  const { obedience, atS } = new Told();
  young.take(
    create(HeaderSchema, { term: 1n, round: 1n }),
    obedience.correction!,
    raw(atS),
    new Anchors(),
  );
  expect(young.heldAt(raw(atS))?.vouched).toBe(false);
});

test("in doubt a host keeps the pace, and its next life knows the doubt", () => {
  const host = new Told();
  host.tell(0, 11_000);
  expect(host.obedience.excessPpb).toBe(7);
  expect(host.obedience.kept).toBe(host.obedience.correction);
  expect(host.tell(100_000, 11_000, 0)).toContain("contradict own edges");
  const { kept, line, doubtNs, excessPpb } = host.obedience;
  expect([excessPpb, kept!.excessPpb, kept!.isReference]).toEqual([0, 0, false]);
  expect(doubtNs).toBeGreaterThan(0);
  expect(kept!.segments).toMatchObject([{ rawNs: line!.last.rawNs, freqPpb: line!.last.freqPpb }]);
  expect(kept!.boundNs).toBeGreaterThanOrEqual(11_000 + doubtNs);
  expect(kept!.localBoundNs).toBeGreaterThanOrEqual(doubtNs);
});

test("one anchor of five that contradicts for ever does not keep the limit on jumps wide", () => {
  const host = new Told();
  host.tell(0, 340_000);
  const hears = host.anchors.hear.bind(host.anchors);
  host.anchors.hear = (...args) => {
    hears(...args);
    const { voices } = host.anchors;
    voices[4] = { ...voices[4], domainUnixNs: unixNanos(voices[4].domainUnixNs + 900_000n) };
    return host.anchors;
  };
  expect(host.tell(0, 340_000)).toBeUndefined();
  expect(host.tell(0, 11_000)).toBeUndefined();
  expect(host.tell(334_000, 11_000)).toMatch(/^the line jumps by 334000 ns, the limit is 2/);
});
