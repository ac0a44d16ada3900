import { expect, test } from "vitest";
import { EdgeSource, FleetClocks } from "./clocks.ts";

const start = { seed: 1, monotonicNs: 0n, unixNs: 1_795_305_600_000_000_000n };

test("any process draws the same clocks, and true time comes back from them", () => {
  const [here, there] = [new FleetClocks(start), new FleetClocks(start)];
  for (const host of [0, 1, 999]) {
    expect(here.rawAt(host, 3e9)).toBe(there.rawAt(host, 3e9));
    expect(Math.abs(here.trueAt(host, here.rawAt(host, 3e9)) - 3e9)).toBeLessThanOrEqual(1);
  }
});

test("a fit says what both clocks show at its middle, within its noise and its bound", () => {
  const clocks = new FleetClocks(start);
  const edge = new EdgeSource(clocks, 1, 3, 8);
  const errorsNs = Array.from({ length: 200 }, (_, round) => {
    const fit = edge.fit(3e9 + round * 5e8, 4, 9);
    const middleRawNs = fit.ownerBaseRawNs! + BigInt(Math.round(fit.midNs!));
    const trueNs = clocks.trueAt(3, middleRawNs);
    const otherNs = Number(clocks.rawAt(8, trueNs) - fit.otherBaseRawNs!);
    return fit.offsetNs! - (otherNs - fit.midNs!);
  });
  const rmsNs = Math.sqrt(errorsNs.reduce((sum, ns) => sum + ns * ns, 0) / errorsNs.length);
  expect(rmsNs).toBeGreaterThan(5);
  expect(rmsNs).toBeLessThan(40);
});
