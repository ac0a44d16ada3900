import { expect, test } from "vitest";
import { errorNs, type Row, record, replayed } from "./harness.ts";
import type { TracePlan } from "./plan.ts";
import { type Estimate, Replay } from "./replay.ts";

const loaded = record({ seed: 11, scenario: "S2", hosts: 6, seconds: 12, pairsPerSecond: 60 });
const whole = replayed(loaded, loaded.rows);

/** Estimates as text: what is compared has to be the same to the last bit. */
const asText = (estimates: readonly Estimate[]) =>
  estimates.map((e) => Object.values(e).map(String).join(" ")).join("\n");

const sizes = (estimates: readonly Estimate[]) =>
  estimates
    .map((e) => errorNs(loaded, e))
    .filter((e) => e !== undefined)
    .map(Math.abs)
    .sort((a, b) => a - b);

test("six hosts at 40 % load are within 60 ns, and the truth is always within the bound", () => {
  const errors = sizes(whole.estimates.slice(20));
  const p99 = errors[Math.floor(0.99 * errors.length)];
  console.log(`S2, 6 hosts, seed 11: p99 ${p99.toFixed(1)} ns of ${errors.length}`);
  expect(errors.length).toBeGreaterThan(70);
  expect(p99).toBeLessThan(60);
  for (const estimate of whole.estimates) {
    expect(Math.abs(errorNs(loaded, estimate) ?? 0)).toBeLessThanOrEqual(estimate.boundNs);
    expect(estimate.sigmaNs).toBeLessThan(estimate.boundNs);
  }
});

test("every host but the reference has an estimate in every round, in order of time", () => {
  const settled = whole.rounds.filter((round) => round.estimates.length > 0);
  expect(settled.length).toBeGreaterThanOrEqual(19);
  settled.forEach(({ closeRefRawNs, estimates }, i) => {
    expect(estimates.map((e) => e.host)).toEqual([1, 2, 3, 4, 5]);
    expect(closeRefRawNs % 500_000_000n).toBe(0n);
    expect(estimates.every((e) => e.referenceNs === closeRefRawNs + 100_000_000n)).toBe(true);
    if (i > 0) expect(closeRefRawNs - settled[i - 1].closeRefRawNs).toBe(500_000_000n);
  });
});

test("a host that is ahead and fast is told so, with the format's sign of the frequency", () => {
  const hosts = ["a", "b", "c"].map((id) => ({ id, region: "", clockQuality: 1 }));
  const edges = [[0, 1] as const, [1, 2] as const, [0, 2] as const];
  const plan: TracePlan = { timestamping: "hardware", hosts, reference: 0, edges };
  // b is 7 ms ahead of a at the start and gains 15 000 ppb, c loses 9 000 ppb.
  const shows = [
    (s: number) => s,
    (s: number) => s * (1 + 15e-6) + 7e6,
    (s: number) => s * (1 - 9e-6),
  ];
  const estimates: Estimate[] = [];
  const replay = new Replay(plan, "default", (round) => estimates.push(...round.estimates));
  const zeros = [5_000_000_123n, 9_000_000_000_000_000_000n, 77n];
  zeros.forEach((zero, host) => {
    replay.setBase(host, zero);
  });
  for (let pair = 0; pair < 400; pair++) {
    for (const [from, to] of [0, 1, 2].flatMap((a) => [0, 1, 2].map((b) => [a, b]))) {
      if (from === to) continue;
      for (const slot of [0, 1]) {
        const sentNs = pair * 1e7 + from * 1e6 + to * 1e5 + slot * 1e4;
        const arrivedNs = sentNs + 20_000;
        replay.probe(
          from,
          to,
          pair,
          slot,
          Math.round(shows[from](sentNs)),
          Math.round(shows[to](arrivedNs)),
        );
      }
    }
  }
  const [b, c] = estimates.slice(-2);
  const trueNs = Number(b.referenceNs - zeros[0]) - b.earlierNs;
  expect(Number(b.hostNs - zeros[1])).toBeCloseTo(shows[1](trueNs), 0);
  expect(b.freqPpb).toBeCloseTo(-15_000, -1);
  expect(c.freqPpb).toBeCloseTo(9_000, -1);
  expect(b.boundNs).toBeGreaterThan(19_000);
});

test.each([0, 1, 999, 17_000, 23_456, 30_001])(
  "after the first %i rows the estimates are a prefix of those of all rows",
  (count) => {
    const cut = asText(replayed(loaded, loaded.rows.slice(0, count)).estimates);
    expect(asText(whole.estimates).startsWith(cut)).toBe(true);
    if (count > 17_000) expect(cut.length).toBeGreaterThan(100);
  },
);

test.each([2.2, 3.6, 5.05, 7.7, 11.3])(
  "without what arrived after %f s the estimates are a prefix of those of all rows",
  (seconds) => {
    const [first, last] = [1, 1e8].map((i) =>
      loaded.truth.map((line) => line[Math.min(i, line.length - 1)]),
    );
    const limitNs = loaded.truth.map((_, host) => {
      if (host === 0) return seconds * 1e9;
      const [[h0, r0], [h1, r1]] = [first[host], last[host]];
      return h0 + ((seconds * 1e9 - r0) / (r1 - r0)) * (h1 - h0);
    });
    const cut = replayed(
      loaded,
      loaded.rows.filter(([, to, , , , rxNs]) => rxNs <= limitNs[to]),
    );
    expect(asText(whole.estimates).startsWith(asText(cut.estimates))).toBe(true);
    // Shown over are the rounds whose estimates are of an instant that the rows have passed.
    const countBefore = (s: number) =>
      whole.estimates.filter((e) => Number(e.referenceNs - loaded.trace.zeros[0]) < s * 1e9).length;
    expect(cut.estimates.length).toBeGreaterThanOrEqual(countBefore(seconds - 0.06));
    expect(cut.estimates.length).toBeLessThanOrEqual(countBefore(seconds));
  },
);

/** Each host's clock when the reference's shows `referenceNs` (ns since the zeros), by the truth. */
const clocksAt = (referenceNs: number) =>
  loaded.truth.map((line, host) => {
    if (host === 0) return referenceNs;
    const next = Math.max(
      1,
      line.findIndex(([, ns]) => ns > referenceNs),
    );
    const [[h0, r0], [h1, r1]] = [line[next - 1], line[next]];
    return h0 + ((referenceNs - r0) / (r1 - r0)) * (h1 - h0);
  });

test.each([0, 1, 4, 9, 15])(
  "what arrives after the close of round %i changes none of the estimates up to it",
  (index) => {
    const settled = whole.rounds.filter((round) => round.estimates.length > 0);
    const closeNs = Number(settled[index].closeRefRawNs - loaded.trace.zeros[0]);
    const [close, open] = [clocksAt(closeNs), clocksAt(closeNs + 90_000_000)];
    // Late rows must be there for the round to close; those between would be reading ahead.
    const rows = loaded.rows.filter(
      ([, to, , , , rxNs]) => rxNs <= close[to] + 1_000 || rxNs > open[to],
    );
    expect(rows.length).toBeLessThan(loaded.rows.length - 200);
    const upTo = (estimates: readonly Estimate[]) =>
      asText(estimates.filter((e) => e.referenceNs <= settled[index].estimates[0].referenceNs));
    expect(upTo(replayed(loaded, rows).estimates)).toBe(upTo(whole.estimates));
  },
);

test("the paper's method gives a line per round, and its bound holds the truth, too", () => {
  const { estimates } = replayed(loaded, loaded.rows, "paper");
  expect(estimates.length).toBeGreaterThan(80);
  expect(asText(estimates)).not.toBe(asText(whole.estimates));
  for (const estimate of estimates) {
    expect(Math.abs(errorNs(loaded, estimate) ?? 0)).toBeLessThanOrEqual(estimate.boundNs);
  }
});

test("a host that falls silent is predicted with a growing bound, and comes back", () => {
  const silent = ([from, to, , , txNs]: Row) =>
    (from === 3 || to === 3) && txNs > 4e9 && txNs < 7e9;
  const { estimates } = replayed(
    loaded,
    loaded.rows.filter((row) => !silent(row)),
  );
  const of3 = estimates.filter((e) => e.host === 3);
  expect(of3.length).toBe(whole.estimates.filter((e) => e.host === 3).length);
  const at = (seconds: number) =>
    of3.findIndex((e) => Number(e.referenceNs - loaded.trace.zeros[0]) > seconds * 1e9);
  expect(of3[at(6.8)].boundNs).toBeGreaterThan(of3[at(4)].boundNs + 200);
  expect(of3[at(6.8)].sigmaNs).toBeGreaterThan(of3[at(4)].sigmaNs);
  for (const estimate of of3) {
    expect(Math.abs(errorNs(loaded, estimate) ?? 0)).toBeLessThanOrEqual(estimate.boundNs);
  }
  expect(Math.abs(errorNs(loaded, of3[at(10)]) ?? Infinity)).toBeLessThan(100);
});

test("without the reference the others keep time going, by their tracks", () => {
  const rows = loaded.rows.filter(([from, to, , , txNs]) => (from !== 0 && to !== 0) || txNs < 6e9);
  const { estimates } = replayed(loaded, rows);
  expect(estimates.length).toBe(whole.estimates.length);
  for (const estimate of estimates) {
    expect(Math.abs(errorNs(loaded, estimate) ?? 0)).toBeLessThanOrEqual(estimate.boundNs);
  }
});

test("a sender that numbers its pairs anew loses a row, not its edges", () => {
  const rows = loaded.rows.map(([from, to, pair, ...rest]): Row => {
    const anew = from === 2 && pair >= 300;
    return [from, to, anew ? pair - 300 : pair, ...rest];
  });
  const { replay, estimates } = replayed(loaded, rows);
  expect(replay.odd).toMatchObject({ pairFell: 5, backwards: 0, doubled: 0 });
  const errors = sizes(estimates.slice(20));
  expect(errors[Math.floor(0.99 * errors.length)]).toBeLessThan(60);
});

test("odd rows are counted by kind and change nothing", () => {
  const rows: Row[] = [];
  loaded.rows.forEach((row, i) => {
    const [from, to, pair, slot, txNs, rxNs] = row;
    rows.push(row);
    if (i % 5_000 === 4_999) {
      rows.push(row, [from, to, pair, slot, txNs - 1_000_000, rxNs]);
      rows.push([from, from, pair, slot, txNs, rxNs]);
      rows.push([from, to, pair - 30, slot, txNs + 1, rxNs + 1]);
      rows.push([from, to, pair + 1, slot, 2 ** 60, rxNs]);
    }
  });
  const { replay, estimates } = replayed(loaded, rows);
  const n = Math.floor(loaded.rows.length / 5_000);
  const odd = { unknownEdge: n, doubled: n, backwards: n, pairFell: n, tooFar: n };
  expect(replay.odd).toEqual(odd);
  expect(asText(estimates)).toBe(asText(whole.estimates));
});

test("one garbled stamp of the future closes no round and costs its sender a few rows only", () => {
  const rows = loaded.rows.map((row): Row => [...row]);
  const next = (host: number, from: number) => rows.findIndex((r, i) => i > from && r[0] === host);
  rows[next(0, 14_000)][4] += 3_000_000_000;
  rows[next(2, 20_000)][4] += 900_000_000;
  const { replay, rounds, estimates } = replayed(loaded, rows);
  expect(replay.odd.backwards).toBeGreaterThan(0);
  expect(replay.odd.backwards).toBeLessThan(40);
  const trusted = rounds.slice(4).map(({ fits }) => fits.filter((fit) => !fit.distrust).length);
  expect(Math.min(...trusted)).toBeGreaterThanOrEqual(12);
  expect(estimates.length).toBe(whole.estimates.length);
  for (const estimate of estimates) {
    expect(Math.abs(errorNs(loaded, estimate) ?? 0)).toBeLessThanOrEqual(estimate.boundNs);
  }
});

test.each([
  ["one pair", 2],
  ["50 rows on all edges, which prove the future,", 50],
])("%s of the reference 5 s late bring no round twice and none out of order", (_, struck) => {
  const rows = loaded.rows.map((row): Row => [...row]);
  const ofOneEdge = (row: Row) => struck > 2 || row[1] === 1;
  const late = rows.filter((row) => row[0] === 0 && ofOneEdge(row) && row[4] > 8e9);
  for (const row of late.slice(0, struck)) row[4] += 5_000_000_000;
  const { rounds, estimates } = replayed(loaded, rows);
  const closes = rounds.map(({ closeRefRawNs }) => closeRefRawNs);
  closes.forEach((close, i) => {
    if (i > 0) expect(close).toBeGreaterThan(closes[i - 1]);
  });
  if (struck === 2) expect(estimates.length).toBe(whole.estimates.length);
  else expect(rounds.length).toBeGreaterThan(whole.rounds.length);
  for (const count of [20_000, 23_456]) {
    const cut = asText(replayed(loaded, rows.slice(0, count)).estimates);
    expect(asText(estimates).startsWith(cut)).toBe(true);
  }
});
