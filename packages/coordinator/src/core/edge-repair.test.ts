import { expect, test } from "vitest";
import { EdgeRepair } from "./edge-repair.ts";
import { dealMesh, pairKey } from "./mesh.ts";
import type { RoundResult } from "./solve.ts";

/** A round that has used these pairs. */
function using(pairs: Iterable<string>): RoundResult {
  const edges = new Map<number, { hostNumber: number; expelled: string }[]>();
  for (const key of pairs) {
    const [a, b] = key.split("-").map(Number);
    for (const [x, y] of [
      [a, b],
      [b, a],
    ]) {
      edges.set(x, [...(edges.get(x) ?? []), { hostNumber: y, expelled: "" }]);
    }
  }
  return { edges } as unknown as RoundResult;
}
const keys = (edges: readonly { a: number; b: number }[]) =>
  new Set(edges.map((e) => pairKey(e.a, e.b)));
const hosts = Array.from({ length: 40 }, (_, i) => i + 1);

test("an edge that is silent for three looks is barred; one of a host that is away is not", () => {
  const repair = new EdgeRepair();
  const dealt = keys(dealMesh(hosts, 1, []));
  const [silent, away] = [...dealt].filter((key) => !key.startsWith("1-"));
  const used = [...dealt].filter((key) => key !== silent && key !== away);
  const gone = Number(away.split("-")[1]);
  const barred: string[] = [];
  for (let ms = 0; ms < 30_000; ms += 500) {
    barred.push(...repair.look(using(used), dealt, (n) => n !== gone, ms));
  }
  expect(new Set(barred)).toEqual(new Set([silent]));
  expect(repair.barred(30_000)).toEqual(new Set([silent]));
  expect(repair.barred(700_000).size).toBe(0);
});

test("a network that is down does not turn the mesh over: a few edges at a time", () => {
  const repair = new EdgeRepair();
  const dealt = keys(dealMesh(hosts, 1, []));
  for (let ms = 0; ms <= 10_000; ms += 500) repair.look(using([]), dealt, () => true, ms);
  expect(repair.barred(10_000).size).toBe(Math.floor(dealt.size / 40));
});

test("a mesh without barred pairs is connected, and little else has changed", () => {
  const before = dealMesh(hosts, 1, []);
  const barred = new Set([...keys(before)].filter((_, i) => i % 20 === 0));
  const after = dealMesh(hosts, 1, before, undefined, barred);
  const now = keys(after);
  for (const key of barred) expect(now.has(key)).toBe(false);
  const lost = [...keys(before)].filter((key) => !now.has(key) && !barred.has(key));
  expect(lost.length).toBeLessThan(before.length / 5);
  const reached = new Set([1]);
  for (let size = 0; size < reached.size; ) {
    size = reached.size;
    for (const { a, b } of after) if (reached.has(a) || reached.has(b)) reached.add(a).add(b);
  }
  expect(reached.size).toBe(hosts.length);
});
