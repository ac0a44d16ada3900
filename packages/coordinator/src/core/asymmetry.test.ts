import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import type { MeshRows } from "./alignment.ts";
import { Aligner } from "./alignment.ts";
import { AsymmetryWatch } from "./asymmetry.ts";
import { cleanFleet, SyntheticFleet } from "./synthetic-fleet.ts";

const fleet = new SyntheticFleet({ ...cleanFleet, hosts: 12, seed: 3 });
const fits = fleet.nextFits();
const aligner = new Aligner();
aligner.align(1, fits[0].ownerBaseRawNs, fits);
const mesh: MeshRows = aligner.mesh!;
const random = new Prng(3);

/** A round whose round trips are longer by what `addNs` says of an edge. */
function round(watch: AsymmetryWatch, addNs: (a: number, b: number) => number): void {
  const longer = fits.map((fit) => ({
    ...fit,
    delayForwardNsMin:
      fit.delayForwardNsMin + random.exponential(300) + addNs(fit.owner, fit.other),
  }));
  watch.judge(mesh, longer, (host) => `h${host}`);
}
const ofHost = (n: number, ns: number) => (a: number, b: number) => (a === n || b === n ? ns : 0);
const nothing = () => 0;

test("all traffic of a host delayed: one alarm with its name within 10 s, and it ends by itself", () => {
  const watch = new AsymmetryWatch();
  for (let i = 0; i < 60; i++) round(watch, nothing);
  expect(watch.alarms.size).toBe(0);
  let after = 0;
  while (watch.alarms.size === 0 && after < 100) {
    round(watch, ofHost(7, 101_000));
    after++;
  }
  expect(after).toBeLessThanOrEqual(20);
  expect([...watch.alarms.keys()]).toEqual([7]);
  expect(watch.alarms.get(7)).toMatch(
    /^path asymmetry suspected: round trips of h7 grew by 101 us on (\d+) of \1 edges$/,
  );
  for (let i = 0; i < 130; i++) round(watch, ofHost(7, 101_000));
  expect(watch.alarms.size).toBe(0);
  for (let i = 0; i < 300; i++) round(watch, ofHost(7, 101_000));
  expect(watch.takeChanges()).toHaveLength(2);
});

test("a minority of a host's edges, or a rise of less than 5 us, is no alarm", () => {
  const watch = new AsymmetryWatch();
  for (let i = 0; i < 60; i++) round(watch, nothing);
  for (let i = 0; i < 60; i++) {
    round(watch, ofHost(7, 4_500));
  }
  for (let i = 0; i < 60; i++) {
    round(watch, (a, b) => (Math.min(a, b) <= 3 ? ofHost(7, 100_000)(a, b) : 0));
  }
  expect(watch.takeChanges()).toEqual([]);
});
