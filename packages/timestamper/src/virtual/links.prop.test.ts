import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LinkConditions } from "../types.ts";
import { edgeDelayNs, Links } from "./links.ts";

const SETTINGS = { seed: 20261122, numRuns: 200 };

const conditions: fc.Arbitrary<LinkConditions> = fc.record({
  baseDelayNs: fc.integer({ min: 0, max: 100_000 }),
  jitterNs: fc.integer({ min: 0, max: 20_000 }),
  loss: fc.double({ min: 0, max: 0.5, noNaN: true }),
  asymmetryNs: fc.integer({ min: 0, max: 10_000 }),
  asymmetricShare: fc.double({ min: 0, max: 1, noNaN: true }),
  queueLoad: fc.double({ min: 0.01, max: 0.95, noNaN: true }),
  queueServiceNs: fc.integer({ min: 1, max: 50_000 }),
  spikeShare: fc.double({ min: 0, max: 0.1, noNaN: true }),
  spikeNs: fc.integer({ min: 0, max: 2_000_000 }),
});

/** Gaps from nothing to far beyond a queue's memory, some of them backwards as stamps may be. */
const gaps = fc.array(
  fc.oneof(fc.integer({ min: -500, max: 60_000 }), fc.integer({ min: 0, max: 40_000_000 })),
  { minLength: 2, maxLength: 60 },
);

describe("any link", () => {
  test("keeps probes in their order and never makes one early", () => {
    fc.assert(
      fc.property(conditions, gaps, fc.nat(), (link, gapsNs, seed) => {
        const links = new Links(link, seed);
        links.setHost(2);
        let enteredNs = 0;
        let lastNs = Number.NEGATIVE_INFINITY;
        for (const [probe, gapNs] of gapsNs.entries()) {
          enteredNs += gapNs;
          const arrivalNs = links.arrivalNs(1, probe, enteredNs);
          if (Number.isNaN(arrivalNs)) continue;
          expect(arrivalNs).toBeGreaterThanOrEqual(lastNs);
          expect(arrivalNs).toBeGreaterThanOrEqual(enteredNs + edgeDelayNs(link, seed, 1, 2));
          lastNs = arrivalNs;
        }
      }),
      SETTINGS,
    );
  });

  test("the same probes at the same instants meet the same again", () => {
    fc.assert(
      fc.property(conditions, gaps, fc.nat(), (link, gapsNs, seed) => {
        const run = (): number[] => {
          const links = new Links(link, seed);
          links.setHost(2);
          let enteredNs = 0;
          return gapsNs.map((gapNs, probe) => {
            enteredNs += gapNs;
            return links.arrivalNs(1, probe, enteredNs);
          });
        };
        expect(run()).toEqual(run());
      }),
      SETTINGS,
    );
  });
});
