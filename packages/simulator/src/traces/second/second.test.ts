import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { EventQueue } from "./event-queue.ts";
import { SharedLine } from "./fabric.ts";
import { SecondTrace, type SecondWorldName } from "./trace.ts";

function record(world: SecondWorldName, seed = 5, seconds = 4) {
  const trace = new SecondTrace({ seed, world, hosts: 6, seconds, pairsPerSecond: 50 });
  const rows: number[][] = [];
  const clean: boolean[] = [];
  const truth: (readonly [number, number])[][] = trace.plan.hosts.map(() => []);
  trace.run(
    (...row) => rows.push(row),
    (host, hostNs, referenceNs) => truth[host].push([hostNs, referenceNs]),
    (metNoQueue) => clean.push(metNoQueue),
  );
  return { trace, rows, clean, truth };
}

test("one seed gives one recording, another seed another", () => {
  expect(record("bursts").rows).toEqual(record("bursts").rows);
  expect(record("bursts", 6).rows).not.toEqual(record("bursts").rows);
});

test("rows come in the order of sending, coded pairs 8 us apart, about as many as wanted", () => {
  const { rows, trace } = record("idle");
  const newest = trace.plan.hosts.map(() => Number.NEGATIVE_INFINITY);
  const firsts = new Map<string, number>();
  for (const [from, to, pair, slot, txNs] of rows) {
    expect(txNs).toBeGreaterThan(newest[from] - 20_000);
    newest[from] = Math.max(newest[from], txNs);
    const key = `${from}-${to}-${pair}`;
    if (slot === 0) firsts.set(key, txNs);
    else expect(Math.abs(txNs - firsts.get(key)! - 8_000)).toBeLessThan(2_000);
  }
  const perEdge = rows.length / (2 * trace.plan.edges.length);
  expect(perEdge / (4 * 50 * 2)).toBeCloseTo(1, 1);
});

test("a probe that met no queue took the floor, within its stamps' noise", () => {
  const { rows, clean, trace, truth } = record("bursts", 8, 10);
  const offset = truth[1].map(([hostNs, referenceNs]) => hostNs - referenceNs);
  const excessNs = rows.flatMap(([from, to, , , txNs, rxNs], i) => {
    if (from !== 0 || to !== 1 || !clean[i]) return [];
    const at = txNs / 1e8;
    const k = Math.min(offset.length - 2, Math.floor(at));
    const offsetNs = offset[k] + (at - k) * (offset[k + 1] - offset[k]);
    return [rxNs - txNs - offsetNs - trace.floorNs(0, 1)];
  });
  excessNs.sort((a, b) => a - b);
  expect(excessNs.length).toBeGreaterThan(50);
  expect(Math.abs(excessNs[excessNs.length >> 1])).toBeLessThan(8);
  expect(clean.filter(Boolean).length / clean.length).toBeLessThan(0.9);
});

test("a line serves its load: it is busy for that share of the time", () => {
  const line = new SharedLine(new Prng(3), 0.3);
  let busy = 0;
  for (let i = 0; i < 200_000; i++) if (line.pass(i * 10_000, 0) > 0) busy++;
  expect(Math.abs(busy / 200_000 - 0.3)).toBeLessThan(0.015);
});

test("events come by their time, and in the order they were put in", () => {
  const queue = new EventQueue<number>();
  const random = new Prng(2);
  const times = Array.from({ length: 500 }, () => Math.floor(random.between(0, 50)));
  times.forEach((atNs, i) => {
    queue.push(atNs, i);
  });
  const order = times.map((atNs, i) => [atNs, i] as const);
  order.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (const expected of order) expect(queue.pop()).toEqual(expected);
  expect(queue.pop()).toBeUndefined();
});
