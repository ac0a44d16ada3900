import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { type LawName, lawOf } from "./laws.ts";
import type { LinkSpec } from "./link.ts";
import { Network } from "./network.ts";
import { defaultSim } from "./options.ts";

const HOSTS = 200;
const network = (changes: Partial<LinkSpec>, seed = 1) =>
  new Network(seed, HOSTS, () => ({ ...defaultSim.link, ...changes }));

/** Base delay there minus base delay back, of each edge (ns). */
function differences(net: Network): number[] {
  const out: number[] = [];
  for (let a = 0; a < HOSTS; a++) {
    for (let b = a + 1; b < HOSTS; b += 7) out.push(net.link(a, b).baseNs - net.link(b, a).baseNs);
  }
  return out;
}

test("without routes and asymmetry both directions of an edge are as long", () => {
  expect(differences(network({})).every((ns) => ns === 0)).toBe(true);
  const lengths = new Set([1, 2, 3, 4, 5].map((b) => network({}).link(0, b).baseNs));
  expect(lengths.size).toBe(5);
});

test("the named share of edges is longer one way, by what is named, as often there as back", () => {
  const all = differences(network({ asymmetry: { share: 0.15, nsMin: 600, nsMax: 3_000 } }));
  const unequal = all.filter((ns) => ns !== 0);
  expect(Math.abs(unequal.length / all.length - 0.15)).toBeLessThan(0.03);
  const sizes = unequal.map(Math.abs);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(599);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(3_001);
  const there = unequal.filter((ns) => ns > 0).length / unequal.length;
  expect(Math.abs(there - 0.5)).toBeLessThan(0.1);
});

test("directions take routes of their own, and another one after a change", () => {
  const net = network({ routeNs: 2_000 });
  const all = differences(net);
  expect(all.filter((ns) => Math.abs(ns) > 1).length / all.length).toBeGreaterThan(0.95);
  const before = [net.link(3, 4).baseNs, net.link(4, 3).baseNs];
  net.reroute(3, 4, 5_000);
  expect(net.link(3, 4).baseNs).not.toBe(before[0] + 5_000);
  expect(Math.abs(net.link(3, 4).baseNs - before[0] - 5_000)).toBeLessThanOrEqual(2_000);
  expect(net.link(4, 3).baseNs).toBe(before[1]);
});

test("a link loses its share, a cut link everything, one way only", () => {
  const net = network({ loss: 0.05 });
  const link = net.link(1, 2);
  let lost = 0;
  for (let i = 0; i < 20_000; i++) if (Number.isNaN(link.pass(i * 1e6))) lost++;
  expect(Math.abs(lost / 20_000 - 0.05)).toBeLessThan(0.006);
  link.cuts++;
  expect(link.pass(3e10)).toBeNaN();
  expect(network({}).link(2, 1).pass(3e10)).toBeGreaterThan(3e10);
});

test("probes of a link with queues never overtake each other", () => {
  const hop = { kind: "poisson", load: 0.9, serviceNs: 480, service: "mixed" } as const;
  const link = network({ hops: [hop, hop, hop, hop] }).link(0, 1);
  const random = new Prng(8);
  let atNs = 0;
  let lastNs = 0;
  for (let i = 0; i < 20_000; i++) {
    atNs += random.exponential(5_000);
    const arriveNs = link.pass(atNs);
    expect(arriveNs).toBeGreaterThan(lastNs);
    lastNs = arriveNs;
  }
});

test("the stated worlds have the stated means", () => {
  const means: readonly (readonly [LawName, number])[] = [
    ["S1", 1_000],
    ["S2", 4 * 0.4 * 12_500],
    ["S3", 4 * 0.85 * 41_000],
    ["S4", 30_000 + 0.001 * 2e6],
    ["S5", 200_000],
  ];
  for (const [law, meanNs] of means) {
    const random = new Prng(3);
    let sumNs = 0;
    for (let i = 0; i < 300_000; i++) sumNs += lawOf(law)(random);
    expect(sumNs / 300_000 / meanNs).toBeGreaterThan(0.97);
    expect(sumNs / 300_000 / meanNs).toBeLessThan(1.03);
  }
});
