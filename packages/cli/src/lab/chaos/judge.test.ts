import { expect, test } from "vitest";
import { fakeRecord, type Show } from "./fake-record.ts";
import { judge, outsideOf } from "./judge.ts";

const calm = (id: string): Show => ({ id });
const before = (atS: number, s: number) => atS < s;

test("a deed that changes nothing shows nothing", () => {
  const figures = judge(fakeRecord([calm("h1"), calm("h2")]));
  expect(figures).toMatchObject({
    another_leads_s: null,
    takeover_s: null,
    old_term_obeyed: 0,
    steps: 0,
    backward_ns: 0,
    p99_ratio: 1,
    bound_held: 1,
    left_locked: 0,
    relock_longest_s: 0,
    recovered_s: 0,
  });
  expect(figures.polls_per_s).toBeCloseTo(10, 1);
});

test("a new reference leads when it says so itself; all follow when the last one names it", () => {
  const h1: Show = {
    id: "h1",
    leads: (s) => before(s, 20),
    state: (s) => (s < 20 ? "LOCKED" : undefined),
  };
  const h2: Show = { id: "h2", leads: (s) => s >= 23, names: (s) => (s < 23 ? "h1" : "h2") };
  const h3: Show = { id: "h3", names: (s) => (s < 24.5 ? "h1" : "h2") };
  const figures = judge(fakeRecord([h1, h2, h3], { victims: ["h1"] }));
  expect(figures.another_leads_s).toBeCloseTo(3);
  expect(figures.all_follow_s).toBeCloseTo(4.5);
});

test("the old reference leads again only from when it says so after its return", () => {
  const h1: Show = { id: "h1", leads: (s) => s < 20 || s >= 45 };
  const figures = judge(fakeRecord([h1, calm("h2")], { victims: ["h1"], overS: 30 }));
  expect(figures.leads_again_s).toBeCloseTo(15);
});

test("takeover is the first correction of a higher term, and the last agent's first one", () => {
  const at = (id: string, s: number): Show => ({ id, term: (t) => (t < s ? 5 : 6) });
  const figures = judge(fakeRecord([at("h1", 22), at("h2", 24)]));
  expect(figures.takeover_s).toBeCloseTo(2);
  expect(figures.takeover_all_s).toBeCloseTo(4);
});

test("a term that falls within one life of an agent is an old one obeyed; a new life begins anew", () => {
  const fallen: Show = { id: "h1", term: (s) => (s > 25 && s < 30 ? 6 : 5) };
  const restarted: Show = { ...fallen, id: "h2", life: (s) => (s < 30 ? 1 : 2) };
  expect(judge(fakeRecord([restarted])).old_term_obeyed).toBe(0);
  expect(judge(fakeRecord([fallen])).old_term_obeyed).toBeGreaterThan(0);
});

test("errors are those of steered hosts that nothing was done to", () => {
  const wild: Show = { id: "h3", errorNs: () => 9_000 };
  const shows = [{ ...wild, id: "h1", steered: false }, calm("h2"), wild];
  expect(judge(fakeRecord(shows, { victims: ["h3"] })).max_error_ns).toBe(20);
  expect(judge(fakeRecord(shows)).max_error_ns).toBe(9_000);
  // Nobody steered is left: then all count.
  expect(judge(fakeRecord(shows, { victims: ["h2", "h3"] })).max_error_ns).toBe(9_000);
});

test("p99 is held against the worst four seconds before, and recovers when it is as good again", () => {
  const h2: Show = {
    id: "h2",
    errorNs: (s) => (s >= 8 && s < 12 ? 100 : s >= 30 && s < 36 ? 500 : 20),
  };
  const figures = judge(fakeRecord([calm("h1"), h2], { overS: 32 }));
  expect(figures.p99_before_worst_ns).toBe(100);
  expect(figures.p99_ratio).toBe(5);
  expect(figures.recovered_s).toBe(4);
});

test("a sample outside of its bound is counted and told, the victim's too", () => {
  const h2: Show = { id: "h2", errorNs: (s) => (s > 30 && s < 30.15 ? -12_000 : 20) };
  const record = fakeRecord([calm("h1"), h2], { victims: ["h2"] });
  expect(judge(record).bound_held).toBeCloseTo(1 - 1 / 600, 6);
  expect(outsideOf(record)).toMatchObject([
    { host: "h2", true_error_ns: -12_000, state: "LOCKED" },
  ]);
});

test("truth is good to a nanosecond: by so much a sample may seem outside", () => {
  const off = (ns: number) =>
    outsideOf(fakeRecord([{ id: "h1", boundNs: 1.2, errorNs: () => ns }]));
  expect(off(2)).toEqual([]);
  expect(off(-3)).not.toEqual([]);
});

test("steps count whoever made them, and one backwards is told by how far", () => {
  const record = fakeRecord([calm("h1"), calm("h2")]);
  const writes = [
    { atS: 10, kind: "step", value: -5 },
    { atS: 25, kind: "step", value: -300 },
    { atS: 26, kind: "step", value: 200 },
    { atS: 27, kind: "frequency", value: -9_000 },
  ];
  const hosts = record.hosts.map((h, i) => (i === 1 ? { ...h, writes } : h));
  expect(judge({ ...record, hosts })).toMatchObject({ steps: 2, backward_ns: 300 });
});

test("a victim is DISRUPTED and LOCKED again, counted from the end of the disturbance", () => {
  const h2: Show = {
    id: "h2",
    state: (s) =>
      s < 20 || s >= 33 ? "LOCKED" : s < 25 ? undefined : s < 25.5 ? "HOLDOVER" : "DISRUPTED",
  };
  const figures = judge(fakeRecord([calm("h1"), h2], { victims: ["h2"], overS: 25 }));
  expect(figures.disrupted_s).toBeCloseTo(0.5);
  expect(figures.locked_again_s).toBeCloseTo(8);
  expect(figures.relock_longest_s).toBeCloseTo(13, 0);
  expect(figures.left_locked).toBe(0);
});

test("who is not LOCKED at the end was never LOCKED again", () => {
  const h2: Show = { id: "h2", state: (s) => (s < 48 ? "LOCKED" : undefined) };
  const figures = judge(fakeRecord([calm("h1"), h2], { victims: ["h2"] }));
  expect(figures.locked_again_s).toBeNull();
  expect(figures.relock_longest_s).toBeNull();
});

test("a clock that leaves its course has moved, one that keeps a steady rate has not", () => {
  const steady = (s: number) => 3_000 * s + 17;
  const jerked = (s: number) => steady(s) + (s > 22 ? 400 * Math.min(5, s - 22) : 0);
  const others = (apartNs: (s: number) => number) =>
    judge(fakeRecord([calm("h1"), { id: "h2", apartNs }], { victims: ["h1"] }));
  expect(others(steady).moved_ns).toBeLessThan(0.01);
  expect(others(jerked).moved_ns).toBeCloseTo(2_000, 0);
  expect(others(jerked).moved_least_ns).toBeCloseTo(2_000, 0);
  expect(others(jerked).moved_before_ns).toBeLessThan(0.01);
  expect(others(steady).moved_limit_ns).toBe(1_040);
});

test("a victim that tells of its disk is heard, another host's alarm is not", () => {
  const shows: Show[] = [{ id: "h1", alarms: ["storage failing: ENOSPC"] }, calm("h2")];
  expect(judge(fakeRecord(shows, { victims: ["h1"] })).storage_told).toBe(1);
  expect(judge(fakeRecord(shows, { victims: ["h2"] })).storage_told).toBe(0);
});
