import { describe, expect, it } from "vitest";
import { newSelection, type ProbeColumns, selectPure } from "./pairs.ts";

/** Pairs with the given gap errors (ns); sent 10 us apart, one pair a millisecond. */
function columnsOf(gapErrorsNs: readonly number[]): ProbeColumns {
  const out: ProbeColumns = {
    length: 0,
    probe: new Float64Array(2 * gapErrorsNs.length),
    txNs: new Float64Array(2 * gapErrorsNs.length),
    rxNs: new Float64Array(2 * gapErrorsNs.length),
  };
  gapErrorsNs.forEach((gapNs, p) => {
    for (let member = 0; member < 2; member++) {
      const i = out.length++;
      out.probe[i] = 2 * p + member;
      out.txNs[i] = p * 1e6 + member * 10_000;
      out.rxNs[i] = out.txNs[i] + 500 + member * gapNs;
    }
  });
  return out;
}

const alternating = (count: number, sizeNs: (p: number) => number) =>
  Array.from({ length: count }, (_, p) => (p % 2 === 0 ? 1 : -1) * sizeNs(p));

describe("selectPure", () => {
  it("drops the fifth of the pairs whose gaps changed most", () => {
    const columns = columnsOf(alternating(50, (p) => (p % 5 === 3 ? 10_000 : 5 + p / 10)));
    const out = newSelection();
    selectPure(columns, out);
    expect(out).toMatchObject({ pairCount: 50, keptPairCount: 40, length: 80, usableCount: 100 });
    expect(out.epsilonNs).toBeLessThan(11);
  });

  it("keeps the second probe alone where the first is always late", () => {
    const columns = columnsOf(Array.from({ length: 50 }, (_, p) => -1000 - 20 * p));
    const out = newSelection();
    selectPure(columns, out);
    expect(out.length).toBe(40);
    expect(out.txNs[0]).toBe(10_000);
  });

  it("keeps the first probe alone where the second is always late", () => {
    const columns = columnsOf(Array.from({ length: 50 }, (_, p) => 1000 + 20 * p));
    const out = newSelection();
    selectPure(columns, out);
    expect(out.length).toBe(40);
    expect(out.txNs[0]).toBe(0);
  });

  it("keeps ten pairs even of few", () => {
    const out = newSelection();
    selectPure(columnsOf(alternating(11, (p) => 100 * (p + 1))), out);
    expect(out.keptPairCount).toBe(10);
  });

  it("falls back to single probes when fewer than ten pairs are complete", () => {
    const columns = columnsOf(alternating(30, () => 5));
    for (let p = 0; p < 25; p++) columns.rxNs[2 * p] = Number.NaN;
    const out = newSelection();
    selectPure(columns, out);
    expect(out).toMatchObject({ pairCount: 5, keptPairCount: 0, length: 35, epsilonNs: 0 });
  });

  it("pairs by number, not by neighbourhood", () => {
    const columns = columnsOf(alternating(30, () => 5));
    for (let i = 0; i < columns.length; i++) columns.probe[i] *= 2;
    const out = newSelection();
    selectPure(columns, out);
    expect(out.pairCount).toBe(0);
  });

  it("tells how far half of the gaps are off", () => {
    const out = newSelection();
    selectPure(columnsOf(alternating(100, (p) => p)), out);
    expect(out.gapMedianNs).toBe(50);
  });
});
