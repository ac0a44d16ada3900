import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { type HopSpec, openHop, PROBE_SERVICE_NS } from "./hop.ts";

const poisson = (load: number, service: "exponential" | "fixed" | "mixed"): HopSpec => ({
  kind: "poisson",
  load,
  serviceNs: 1_000,
  service,
});

/** Mean wait, and share of probes that do not wait, of probes far apart or close together. */
function waits(spec: HopSpec, apartNs: number, count: number) {
  const hop = openHop(spec, new Prng(3));
  let sumNs = 0;
  let idle = 0;
  for (let i = 1; i <= count; i++) {
    const waitNs = hop.wait(i * apartNs, 0);
    sumNs += waitNs;
    if (waitNs === 0) idle++;
  }
  return { meanNs: sumNs / count, idleShare: idle / count };
}

// Pollaczek and Khinchine: mean wait = load E[S^2] / (2 E[S] (1 - load)); idle with 1 - load.
const SECOND_MOMENT = { exponential: 2, fixed: 1, mixed: 2.093 };

test.each([
  ["exponential", 0.4],
  ["fixed", 0.8],
  ["mixed", 0.9],
] as const)("a queue of %s service at load %d waits as the theory has it", (service, load) => {
  const meanNs = (load * 1_000 * SECOND_MOMENT[service]) / (2 * (1 - load));
  // Drawn from the stationary law, and followed packet by packet: both give the same.
  for (const [apartNs, count] of [
    [1e9, 60_000],
    [20_000, 200_000],
  ]) {
    const seen = waits(poisson(load, service), apartNs, count);
    expect(seen.meanNs / meanNs).toBeGreaterThan(0.93);
    expect(seen.meanNs / meanNs).toBeLessThan(1.07);
    expect(Math.abs(seen.idleShare - (1 - load))).toBeLessThan(0.01);
  }
});

test("the queue has a memory: the second probe of a pair meets what the first one met", () => {
  const hop = openHop(poisson(0.8, "mixed"), new Prng(5));
  const first: number[] = [];
  const second: number[] = [];
  for (let i = 1; i <= 20_000; i++) {
    const atNs = i * 1e8;
    first.push(hop.wait(atNs, PROBE_SERVICE_NS));
    second.push(hop.wait(atNs + 1_000, PROBE_SERVICE_NS));
  }
  expect(correlation(first, second)).toBeGreaterThan(0.8);
  // A pair 1 us apart is never brought nearer than the first probe's own time on the line ...
  const gaps = first.map((ns, i) => 1_000 + second[i] - ns);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(PROBE_SERVICE_NS - 1e-6);
  // ... but queues do bring pairs together, and traffic between the two drives them apart.
  expect(gaps.filter((ns) => ns < 900).length).toBeGreaterThan(1_000);
  expect(gaps.filter((ns) => ns > 1_100).length).toBeGreaterThan(1_000);
});

test("bursts make a queue as long as the fluid that does not fit through", () => {
  const spec: HopSpec = { kind: "bursts", peak: 5, onNs: 200e3, offNs: 1_800e3 };
  const hop = openHop(spec, new Prng(9));
  let largestNs = 0;
  let idle = 0;
  for (let i = 1; i <= 50_000; i++) {
    const waitNs = hop.wait(i * 100e3, 0);
    largestNs = Math.max(largestNs, waitNs);
    if (waitNs === 0) idle++;
  }
  // A fluid queue is empty for 1 - load of the time; a burst of 0.2 ms leaves some 0.8 ms behind.
  expect(Math.abs(idle / 50_000 - 0.5)).toBeLessThan(0.05);
  expect(largestNs).toBeGreaterThan(1e6);
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
