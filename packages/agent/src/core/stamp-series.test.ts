import { rawNanos } from "@ttcs/units";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EndStamps, StampSeries } from "./stamp-series.ts";

const probes = (s: StampSeries) => [...s.probe.subarray(0, s.length)];

test("late stamps are sorted in and doubles ignored, whatever the order of arrival", () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 90_000 }), { maxLength: 600 });
  fc.assert(
    fc.property(numbers, (order) => {
      const series = new StampSeries();
      for (const probe of order) series.push(probe, probe * 10);
      for (const probe of order) series.push(probe, -1);
      expect(probes(series)).toEqual([...order].sort((a, b) => a - b));
      for (let i = 0; i < series.length; i++) expect(series.ns[i]).toBe(series.probe[i] * 10);
    }),
    { seed: 2 },
  );
});

test("numbers far below the last one mean that the sender began anew", () => {
  const series = new StampSeries();
  series.push(1_000_000, 5);
  series.push(3, 6);
  expect(probes(series)).toEqual([3]);
});

test("sliding the zero keeps the instants and drops what lies before it", () => {
  const end = new EndStamps();
  end.slideTo(rawNanos(1_000n));
  end.sent.push(1, 100);
  end.sent.push(2, 900);
  end.received.push(7, 400);
  end.slideTo(rawNanos(1_400n));
  end.settle();
  expect(probes(end.sent)).toEqual([2]);
  expect(end.sent.ns[0]).toBe(500);
  expect(end.received.ns[0]).toBe(0);
});

test("a zero that moves back does not bring back what lay before it", () => {
  const end = new EndStamps();
  end.sent.push(1, 100);
  end.sent.push(2, 900);
  end.slideTo(rawNanos(500n));
  end.slideTo(rawNanos(200n));
  end.settle();
  expect(probes(end.sent)).toEqual([2]);
  expect(end.sent.ns[0]).toBe(700);
});

test("a series whose zero moves along stays as small as its window, and knows what is new", () => {
  const series = new StampSeries();
  for (let round = 0; round < 40; round++) {
    series.slide(500);
    series.mark();
    for (let i = 0; i < 50; i++) series.push(50 * round + i, 1_500 + 10 * i);
    const { newFrom, length, zeroNs } = series;
    expect([...series.probe.subarray(newFrom, length)]).toEqual(
      Array.from({ length: 50 }, (_, i) => 50 * round + i),
    );
    expect(series.ns[newFrom] - zeroNs).toBe(1_500);
  }
  expect(series.probe.length).toBeLessThanOrEqual(512);
  series.settle();
  expect(series.length).toBe(200);
  expect(series.ns[0]).toBe(0);
});

test("a column that is added at once does what its stamps would one by one", () => {
  const column = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 90 });
  fc.assert(
    fc.property(
      fc.array(column, { maxLength: 6 }),
      fc.integer({ min: 0, max: 900 }),
      (all, slideNs) => {
        const [atOnce, oneByOne] = [new StampSeries(), new StampSeries()];
        for (const numbers of all) {
          const probe = Float64Array.from(numbers).sort();
          const ns = probe.map((number) => 10 * number);
          atOnce.append(probe, ns, probe.length, 7);
          probe.forEach((number, i) => {
            oneByOne.push(number, ns[i] + 7);
          });
          for (const series of [atOnce, oneByOne]) series.slide(slideNs);
        }
        for (const series of [atOnce, oneByOne]) series.settle();
        expect(probes(atOnce)).toEqual(probes(oneByOne));
        expect([...atOnce.ns.subarray(0, atOnce.length)]).toEqual([
          ...oneByOne.ns.subarray(0, oneByOne.length),
        ]);
      },
    ),
    { seed: 3 },
  );
});
