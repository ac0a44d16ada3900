import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { Blame } from "./blame.ts";

const HOSTS = 60;
const DEGREE = 10;

/** A mesh in which liars spoil some of their edges to the honest; rows below `liars` lie. */
function spoiled(seed: number, liars: number, share: number) {
  const random = new Prng(seed);
  const from: number[] = [];
  const to: number[] = [];
  for (let row = 0; row < HOSTS; row++) {
    for (let k = 0; k < DEGREE / 2; k++) {
      const other = (row + 1 + Math.floor(random.uniform() * (HOSTS - 1))) % HOSTS;
      from.push(row);
      to.push(other);
    }
  }
  const bad = Uint8Array.from(from, (a, e) => {
    const lies = a < liars !== to[e] < liars;
    return lies && random.uniform() < share ? 1 : 0;
  });
  const edges = {
    hosts: Array.from({ length: HOSTS }, (_, i) => i + 1),
    from: Int32Array.from(from),
    to: Int32Array.from(to),
    edgeCount: from.length,
  };
  return { edges, bad };
}

test("blame comes to rest on liars, though honest hosts have many of them among their partners", () => {
  const liars = 18;
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
  let honest = 0;
  let caught = 0;
  for (const seed of seeds) {
    const { edges, bad } = spoiled(seed, liars, 0.8);
    const blame = new Blame();
    blame.share(edges, bad, []);
    const sum = (values: Iterable<number>) => [...values].reduce((all, x) => all + x, 0);
    expect(sum(blame.edges)).toBeCloseTo(sum(bad), 6);
    blame.edges.forEach((x, row) => {
      if (x >= 1.5 && row < liars) caught++;
      if (x >= 1.5 && row >= liars) honest++;
    });
  }
  const all = seeds.length * HOSTS;
  console.log(
    `seeds 1 to 20, 30 % liars: ${caught} of ${0.3 * all} of them and ${honest} of ${0.7 * all} ` +
      "honest hosts bear two edges or nearly so",
  );
  expect(caught).toBeGreaterThan(0.95 * 0.3 * all);
  expect(honest).toBeLessThan(0.02 * 0.7 * all);
});

test("those who are out bear the blame for all their edges", () => {
  const { edges, bad } = spoiled(7, 6, 1);
  const blame = new Blame();
  blame.share(edges, bad, [0, 1, 2, 3, 4, 5]);
  expect(Math.max(...blame.edges)).toBe(0);
});

test("of two that contradict each other alone each bears a half", () => {
  const edges = {
    hosts: [1, 2, 3],
    from: Int32Array.of(0, 0, 1),
    to: Int32Array.of(1, 2, 2),
    edgeCount: 3,
  };
  const blame = new Blame();
  blame.share(edges, Uint8Array.of(0, 0, 1), []);
  expect([...blame.edges]).toEqual([0, 0.5, 0.5]);
});
