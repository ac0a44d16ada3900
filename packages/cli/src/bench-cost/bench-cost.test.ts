import { expect, it } from "vitest";
import { measureFits } from "./fit-cost.ts";
import { Fleet } from "./fleet.ts";
import { weaveMesh } from "./mesh.ts";
import { measureRounds, PARTS } from "./round-cost.ts";
import { growthTable, roundTable, verdictLines } from "./table.ts";

it.each([
  [12, 3],
  [100, 10],
  [2000, 10],
])(
  "weaves a mesh of %i hosts that hangs together, about %i neighbours each",
  (hosts, neighbours) => {
    const { from, to } = weaveMesh(hosts, neighbours, 1);
    const partners = Array.from({ length: hosts }, () => new Set<number>());
    from.forEach((a, e) => {
      expect(a).not.toBe(to[e]);
      expect(partners[a].has(to[e])).toBe(false);
      partners[a].add(to[e]);
      partners[to[e]].add(a);
    });
    // The ring is there, and anchors have more.
    for (let h = 0; h < hosts; h++) expect(partners[h].has((h + 1) % hosts)).toBe(true);
    const sizes = partners.map((mine) => mine.size).sort((a, b) => a - b);
    expect(Math.abs(sizes[hosts >> 1] - neighbours)).toBeLessThanOrEqual(1);
  },
);

it("has a fleet whose fits are those of its clocks: a second round is like the first", () => {
  const fleet = new Fleet(weaveMesh(30, 5, 2), 2);
  const [first, second] = [fleet.nextFits(), fleet.nextFits()];
  const freqOf = new Map(second.map((f) => [`${f.owner}-${f.other}`, f]));
  for (const fit of first) {
    const later = freqOf.get(`${fit.owner}-${fit.other}`);
    if (!later) continue;
    // Both clocks have gone on: the zeros are half a second apart, the offset is its frequency's.
    expect(Number(later.ownerBaseRawNs - fit.ownerBaseRawNs) / 5e8).toBeCloseTo(1, 3);
    expect(Math.abs(later.freqPpb - fit.freqPpb)).toBeLessThan(250);
    expect(Math.abs(later.offsetNs - fit.offsetNs)).toBeLessThan(2000);
  }
});

it("measures every part of a round and prints it beside its goal", () => {
  const plan = { neighbours: 5, seed: 1, rounds: 3, warmUpRounds: 12 };
  const costs = [measureRounds(70, plan), measureRounds(1000, { ...plan, warmUpRounds: 1 })];
  for (const cost of costs) {
    for (const part of PARTS) expect(cost.partMs[part]).toBeGreaterThanOrEqual(0);
    expect(cost.partMs.offsets).toBeGreaterThan(0);
    expect(cost.worstMs).toBeGreaterThanOrEqual(cost.roundMs);
  }
  expect(costs[0].sketchMs).toBeGreaterThan(0);
  const [head, , row] = roundTable(costs).split("\n");
  expect(head.split(/\s{2,}/)).toEqual(expect.arrayContaining(["hosts", ...PARTS, "sketch"]));
  expect(row).toMatch(/^1000 .* 20 +\d+\.\d\d x /);
  expect(growthTable(costs).split("\n")[1]).toMatch(/^70 to 1000 +\d+\.\d\d x +\d\.\d\d /);
  const lines = verdictLines(costs, measureFits(1));
  expect(lines[0]).toMatch(
    /^an edge fit of 2 x 200 pairs: \d+ us .* goal 200 us, \d\.\d\d x of it$/,
  );
});
