import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { keepClear } from "./long-path.ts";
import type { ProbeColumns } from "./pairs.ts";

const columns = (length: number): ProbeColumns => ({
  length,
  probe: Float64Array.from({ length }, (_, i) => i),
  txNs: new Float64Array(length),
  rxNs: new Float64Array(length),
});

/** 400 pairs in 8 s over 30 ms; one in ten meets nothing, the others bursts of milliseconds. */
function path(seed: number, slope: number) {
  const random = new Prng(seed);
  const out = columns(800);
  const clear = new Set<number>();
  for (let pair = 0; pair < 400; pair++) {
    const isClear = random.uniform() < 0.1;
    const isBalanced = random.uniform() < 0.2;
    const waitNs = isClear ? random.exponential(3_000) : 1e5 + random.exponential(4e6);
    for (const member of [0, 1]) {
      const i = 2 * pair + member;
      const tornNs = isClear || isBalanced ? random.exponential(100) : member * 10_000;
      out.txNs[i] = pair * 20e6 + member * 10_000;
      out.rxNs[i] = out.txNs[i] * (1 + slope) + 30e6 + waitNs + tornNs;
      if (isClear) clear.add(i);
    }
  }
  return { out, clear };
}

test("of a path with bursts of milliseconds nothing is kept but probes that met none", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { out, clear } = path(seed, 20e-6);
    const kept = columns(0);
    keepClear(out, 20e-6, kept);
    const wrong = [...kept.probe.subarray(0, kept.length)].filter((p) => !clear.has(p));
    expect(wrong).toEqual([]);
    expect(kept.length).toBeGreaterThan(10);
  }
});

test("without a rate torn pairs alone are left out", () => {
  const { out, clear } = path(6, 20e-6);
  const kept = columns(0);
  keepClear(out, undefined, kept);
  const wrong = [...kept.probe.subarray(0, kept.length)].filter((p) => !clear.has(p));
  expect(wrong.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(0.5 * out.length);
});

test("of too few pairs to compare all are kept", () => {
  const few = columns(6);
  few.rxNs.set([10, 20, 5_000, 90_000, 30, 40]);
  const kept = columns(0);
  keepClear(few, undefined, kept);
  expect(kept.length).toBe(6);
});
