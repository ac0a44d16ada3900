import { expect, test } from "vitest";
import { DEED_NAMES, deedsFor } from "./deeds.ts";
import { fakeRecord } from "./fake-record.ts";
import { judge } from "./judge.ts";
import { namesOf } from "./stage.ts";
import type { Bar, Deed, Figures } from "./types.ts";
import { figureText, verdictsOf } from "./verdict.ts";

const figures: Figures = {
  ...judge(fakeRecord([{ id: "h1" }])),
  moved_ns: 900,
  moved_limit_ns: 1_000,
};
const deed = (bar: Bar): Deed => ({ ...deedsFor(6)[0], bars: [bar] });
const isMet = (bar: Bar, changes: Partial<Figures> = {}) =>
  verdictsOf(deed(bar), { ...figures, ...changes })[0].ok;

test("a bar is met up to its limit, which may be another figure", () => {
  expect(isMet({ figure: "moved_ns", atMost: "moved_limit_ns" })).toBe(true);
  expect(isMet({ figure: "moved_ns", atMost: "moved_limit_ns" }, { moved_ns: 1_001 })).toBe(false);
  expect(isMet({ figure: "bound_held", atLeast: 1 }, { bound_held: 0.9999 })).toBe(false);
});

test("what did not happen meets no bar, unless it need not happen", () => {
  expect(isMet({ figure: "takeover_s", atMost: 5 }, { takeover_s: null })).toBe(false);
  expect(isMet({ figure: "leads_again_s", atLeast: 10, orNever: true })).toBe(true);
  expect(isMet({ figure: "leads_again_s", atLeast: 10, orNever: true }, { leads_again_s: 3 })).toBe(
    false,
  );
});

test("figures are told in their units, and a share that is not whole is not rounded up", () => {
  expect(figureText("takeover_s", 3.04)).toBe("3.0 s");
  expect(figureText("moved_ns", 1_250)).toBe("1.25 us");
  expect(figureText("bound_held", 0.999996)).toBe("99.999 %");
  expect(figureText("p99_ratio", null)).toBe("never");
});

test("every deed is watched beyond its last act, has bars and a name of its own", () => {
  for (const { name, acts, watchS, overS, bars, quickS } of deedsFor(12)) {
    const lastS = Math.max(...acts.map(({ atS }) => atS));
    const inOrder = acts.every(({ atS }, i) => i === 0 || acts[i - 1].atS <= atS);
    expect([name, lastS < watchS, overS < (quickS ?? watchS), inOrder]).toEqual([
      name,
      true,
      true,
      true,
    ]);
    expect(bars.map(({ figure }) => figure)).toContain("bound_held");
  }
  expect(new Set(DEED_NAMES).size).toBe(DEED_NAMES.length);
});

test("targets mean hosts and servers as they are when the deed begins", () => {
  const cast = { reference: "h2", leader: "server2", agents: ["h1", "h3"], diskAgents: ["h3"] };
  const servers = ["server", "server2"];
  expect(namesOf("reference", cast, servers)).toEqual(["h2"]);
  expect(namesOf("leader", cast, servers)).toEqual(["server2"]);
  expect(namesOf("agent:1", cast, servers)).toEqual(["h3"]);
  expect(namesOf("agent:2", cast, servers)).toEqual([]);
  expect(namesOf("server:0", cast, servers)).toEqual(["server"]);
  expect(namesOf("disk-agent", cast, servers)).toEqual(["h3"]);
});
