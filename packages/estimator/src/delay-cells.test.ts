import fc from "fast-check";
import { expect, test } from "vitest";
import { DelayCells } from "./delay-cells.ts";

const BINS = 512;

test("cells cover all bins without a gap, one bin wide at the rise, wherever that is", () => {
  fc.assert(
    fc.property(fc.double({ min: -10, max: BINS + 10, noNaN: true }), (rise) => {
      const cells = new DelayCells(BINS);
      cells.lay(rise);
      const edges = cells.edges.subarray(0, cells.length + 1);
      expect([edges[0], edges[cells.length]]).toEqual([0, BINS]);
      for (let c = 0; c < cells.length; c++) expect(edges[c + 1] - edges[c]).toBeGreaterThan(0.9);
      const at = Math.max(1, Math.min(BINS - 1, rise));
      const first = edges.findIndex((edge) => edge > at + 1e-9);
      expect(edges[first] - edges[first - 1]).toBeLessThan(2.2);
      expect(cells.length).toBeLessThan(100);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("a straight line through the middles of cells is the same line through those of bins", () => {
  const cells = new DelayCells(BINS);
  cells.lay(64.3);
  const values = Float64Array.from({ length: cells.length }, (_, c) => 3 - 2 * cells.middle(c));
  const perBin = new Float64Array(BINS);
  cells.spread(values, perBin);
  const last = Math.floor(cells.middle(cells.length - 1) - 0.5);
  for (let i = Math.ceil(cells.middle(0)); i <= last; i++) {
    expect(perBin[i]).toBeCloseTo(3 - 2 * (i + 0.5), 6);
  }
});
