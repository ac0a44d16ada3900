import type { AgentStatus } from "@ttcs/agent";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { accuracyLines } from "./accuracy-lines.ts";
import { boundLimitNs, PathTable } from "./best-path.ts";
import { Figures, percentiles } from "./figures.ts";
import type { Observer, Sight } from "./observer.ts";
import { ProbeSums } from "./probe-sums.ts";
import { PullTrack } from "./pull-track.ts";

test("percentiles are values of the set, by the nearest rank", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentiles(values)).toEqual({ p50: 51, p90: 91, p99: 100, max: 100 });
  expect(percentiles([7])).toEqual({ p50: 7, p90: 7, p99: 7, max: 7 });
});

test("an empty set has none", () => {
  expect(percentiles([])).toEqual({ p50: null, p90: null, p99: null, max: null });
});

const neighbour = (host: string, toNs: number | null, fromNs: number | null, owner = true) =>
  ({ host, owner, delay_to_ns: toNs, delay_from_ns: fromNs }) as AgentStatus["neighbours"][number];

describe("the best path", () => {
  test("is the shortest, by medians of half the round trip, whoever owns the edges", () => {
    const paths = new PathTable();
    for (const extraNs of [0, 2, 900]) {
      paths.note("b", [neighbour("ref", 8 + extraNs, 10 + extraNs), neighbour("c", 3, 5)]);
    }
    paths.note("d", [neighbour("c", 2, 4), neighbour("e", null, 7)]);
    paths.note("c", [neighbour("b", 1e6, 1e6, false)]);
    expect([...paths.fromReference("ref")].sort()).toEqual([
      ["b", 11],
      ["c", 15],
      ["d", 18],
    ]);
  });

  test("is the direct edge where there is one, though another way is shorter", () => {
    const paths = new PathTable();
    paths.note("b", [neighbour("ref", 5, 5)]);
    paths.note("c", [neighbour("b", 5, 5), neighbour("ref", 30, 30)]);
    expect(paths.fromReference("ref").get("c")).toBe(30);
    expect(boundLimitNs(30_000)).toBe(40_000);
  });
});

describe("the distance of domain time from the reference", () => {
  const slew = { slewNs: 2_000_000, atS: 30, ratePpb: 500_000 };

  test("is told around the slew, with the rate at which it shrinks", () => {
    const track = new PullTrack();
    for (let s = 0; s < 240; s += 0.25) {
      const ns = s < 30 ? 500 : s < 34 ? (s - 30) * 500_000 : 2_000_000 - (s - 34) * 10_000;
      track.add(s, -Math.max(80_000, ns));
    }
    const pull = track.around(slew)!;
    expect(pull).toMatchObject({
      slew_from_s: 30,
      slew_to_s: 34,
      before_ns: 80_000,
      just_after_ns: 2_000_000,
      shrink_ns_per_s: 10_000,
    });
    expect(pull.later.slice(0, 2)).toEqual([
      { after_s: 30, ns: 1_700_000 },
      { after_s: 60, ns: 1_400_000 },
    ]);
    expect(pull.later.length).toBe(6);
  });

  test("has no rate while it is small, and is nothing before the slew has ended", () => {
    const track = new PullTrack();
    track.add(1, 5);
    expect(track.around(slew)).toBeNull();
    for (let s = 35; s < 60; s++) track.add(s, 1000);
    expect(track.around(slew)).toMatchObject({ before_ns: 5, shrink_ns_per_s: null });
  });
});

test("probes are summed up over hosts and over the lives of an agent", () => {
  const sums = new ProbeSums();
  const counts = (n: number) => ({ sent: 10 * n, sentStamped: 9 * n, received: 8 * n });
  sums.note("h1", { ...counts(1), injectedLoss: 1, malformed: 3, forged: 1, other: 5 });
  sums.note("h1", { ...counts(2), injectedLoss: 2, malformed: 3, forged: 2 });
  sums.note("h2", { ...counts(5), injectedLoss: 10, malformed: 0 });
  // Killed and started again.
  sums.note("h1", { ...counts(1), injectedLoss: 2, malformed: 0 });
  expect(sums.totals).toEqual({
    sent: 80,
    sent_stamped: 72,
    received: 64,
    injected_loss: 14,
    refused: 5,
    balance: -3,
  });
});

describe("the summary", () => {
  let nowMs = 0;
  beforeEach(() => {
    nowMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  });
  afterEach(() => vi.restoreAllMocks());

  /** A host whose clocks show the kernel's plus a fixed error (ns). */
  function host(id: string, role: "reference" | "agent", errorNs: bigint): Observer {
    const slew = { slewNs: 200, atS: 25, ratePpb: 1000 };
    return {
      host: { id, role, clock: { startKernelRawNs: 0n, startUnixNs: 0n, slew } },
      systemAt: (k: bigint) => k + errorNs,
      rawAt: (k: bigint) => k,
      utcAt: (k: bigint) => k,
    } as unknown as Observer;
  }
  const line = [{ raw_ns: "0", domain_ns: "0", domain_fraction_ns: 0, freq_ppb: 0 }];
  const sight = (bound: number | null, utcBound: number | null, delayNs: number): Sight =>
    ({
      now: {
        kernel_monotonic_raw_ns: String(BigInt(nowMs) * 1_000_000n),
        bound_ns: bound,
        utc_bound_ns: utcBound,
        state: "LOCKED",
      },
      status: {
        state: "LOCKED",
        offset_ns: 1,
        counters: { sent: 10, received: 9, injectedLoss: 1 },
        neighbours: [neighbour("h1", delayNs, delayNs)],
        line,
      },
    }) as unknown as Sight;

  test("sets truth against bounds, by host and in all, to domain time and to UTC", () => {
    const figures = new Figures(0);
    const h1 = host("h1", "reference", -40n);
    const [h2, h3] = [host("h2", "agent", 100n), host("h3", "agent", -300n)];
    for (let s = 0; s < 60; s++) {
      nowMs = s * 1000;
      figures.judge(h1, sight(50, 39, 0), h1, line);
      figures.judge(h2, sight(s < 6 ? null : 20_000, 40_000, 10_000), h1, line);
      const sample = figures.judge(h3, sight(299, null, 20_000), h1, line);
      expect(sample).toMatchObject({ trueErrorNs: -300, utcErrorNs: -300, utcBoundNs: null });
    }
    const summary = figures.summary({ seed: 1, ids: ["h1", "h2", "h3", "h4"], processes: [] });
    expect(summary).toMatchObject({
      samples: 174,
      within_bound_share: 114 / 174,
      utc_samples: 120,
      within_utc_bound_share: 0.5,
      true_error_ns: { p50: 300, max: 300 },
      domain_minus_reference_ns: { p50: 40, max: 40 },
      utc_error_ns: { p50: 100, max: 100 },
      bound_limit_p50_ns: 27_000,
      hosts_within_bound_limit: 1,
      hosts_with_bound_limit: 2,
      worst_host: { id: "h3", true_error_p99_ns: 300 },
      reference_pull: { before_ns: 40, just_after_ns: 40 },
      probes: { sent: 30, received: 27, balance: 0 },
      seconds_to_locked: { h1: 0, h2: 0, h3: 0, h4: null },
    });
    expect(summary.per_host.h2).toEqual({
      true_error_ns: { p50: 100, p90: 100, p99: 100, max: 100 },
      bound_ns: { p50: 20_000, p90: 20_000, p99: 20_000, max: 20_000 },
      bound_limit_ns: 14_000,
      within_bound_share: 1,
      within_utc_bound_share: 1,
    });
    const text = accuracyLines(summary).join("\n");
    console.log(text);
    expect(text).toContain("worst host: h3");
    expect(text).toContain("1 of 2 hosts");
    expect(text).toContain("50.00 % of 120 samples");
  });

  test("nothing seen is no number", () => {
    const summary = new Figures(0).summary({ seed: 1, ids: ["h1"], processes: [] });
    expect(summary).toMatchObject({
      within_bound_share: null,
      within_utc_bound_share: null,
      worst_host: null,
      reference_pull: null,
      bound_limit_p50_ns: null,
    });
    expect(accuracyLines(summary).join()).not.toContain("NaN");
  });
});
