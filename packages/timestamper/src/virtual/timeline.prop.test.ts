import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ControlKind,
  ControlTimeline,
  type ControlWrite,
  effectiveRawNs,
  TICK_NS,
} from "./timeline.ts";

const START = 1_000_000_000n;

const writes = fc
  .array(
    fc.record({
      gapNs: fc.integer({ min: 0, max: 3 * TICK_NS }),
      kind: fc.constantFrom<ControlKind>(
        "frequency",
        "step",
        "foreign-rate",
        "foreign-step",
        "foreign-setting",
      ),
      value: fc.integer({ min: -500_000, max: 500_000 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((list) => {
    let rawNs = START;
    return list.map(({ gapNs, kind, value }): ControlWrite => {
      rawNs += BigInt(gapNs);
      return { rawNs, kind, value };
    });
  });

/** The sum as its definition says, write by write. */
function slowValue(list: readonly ControlWrite[], atNs: number): number {
  const effects = list
    .map((write, order) => ({ ...write, order, from: Number(effectiveRawNs(write) - START) }))
    .sort((a, b) => a.from - b.from || a.order - b.order)
    .filter(({ from }) => from <= atNs);
  let sum = 0;
  let setting = 0;
  let foreign = 0;
  let last = 0;
  for (const { kind, value, from } of effects) {
    sum += (from - last) * (setting + foreign) * 1e-9;
    last = from;
    if (kind === "step" || kind === "foreign-step") sum += value;
    else if (kind === "foreign-rate") foreign = value;
    else setting = value;
  }
  return sum + (atNs - last) * (setting + foreign) * 1e-9;
}

describe("the sum of all writes", () => {
  test("equals its definition at any instant", () => {
    fc.assert(
      fc.property(writes, fc.integer({ min: 0, max: 100 * TICK_NS }), (list, atNs) => {
        const timeline = new ControlTimeline(START);
        for (const write of list) timeline.add(write);
        expect(timeline.valueAt(atNs)).toBeCloseTo(slowValue(list, atNs), 3);
      }),
      { seed: 20261122 },
    );
  });

  test("a write moves nothing that was read at or before it", () => {
    fc.assert(
      fc.property(writes, fc.integer({ min: 0, max: 10 * TICK_NS }), (list, agoNs) => {
        const timeline = new ControlTimeline(START);
        for (const write of list) {
          const beforeNs = Number(write.rawNs - START);
          const earlier = [beforeNs, Math.max(0, beforeNs - agoNs)];
          const seen = earlier.map((atNs) => timeline.valueAt(atNs));
          timeline.add(write);
          expect(earlier.map((atNs) => timeline.valueAt(atNs))).toEqual(seen);
        }
      }),
      { seed: 20261122 },
    );
  });

  test("a frequency takes effect at the next tick, a step at once", () => {
    const timeline = new ControlTimeline(START);
    timeline.add({ rawNs: START + 1n, kind: "frequency", value: 1000 });
    timeline.add({ rawNs: START + 2n, kind: "step", value: 77 });
    expect(timeline.valueAt(2)).toBe(0);
    expect(timeline.valueAt(3)).toBe(77);
    expect(timeline.valueAt(TICK_NS)).toBe(77);
    expect(timeline.valueAt(TICK_NS + 1_000_000_000)).toBe(1077);
    expect(timeline.slopeAt(TICK_NS - 1)).toBe(0);
    expect(timeline.lastSettingPpb).toBe(1000);
  });

  test("a foreign slew stays beside the setting until it is ended", () => {
    const timeline = new ControlTimeline(START);
    const second = 1_000_000_000;
    timeline.add({ rawNs: START, kind: "foreign-rate", value: 300 });
    timeline.add({ rawNs: START, kind: "frequency", value: 1000 });
    expect(timeline.lastSettingPpb).toBe(1000);
    expect(timeline.slopeAt(0)).toBe(1300);
    timeline.add({ rawNs: START + BigInt(second), kind: "foreign-setting", value: -50 });
    expect(timeline.lastSettingPpb).toBe(-50);
    expect(timeline.slopeAt(second)).toBe(250);
    timeline.add({ rawNs: START + BigInt(second), kind: "foreign-rate", value: 0 });
    expect(timeline.slopeAt(second)).toBe(-50);
    expect(timeline.valueAt(second)).toBe(1300);
  });
});
