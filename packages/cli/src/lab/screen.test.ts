import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { Figures } from "./figures.ts";
import { type Row, summaryText, tableText } from "./screen.ts";

const row = (id: string, reason: string): Row =>
  ({
    host: { id },
    sample: {
      state: "ACQUIRING",
      reportedOffsetNs: -123_456,
      boundNs: 1.2e6,
      trueErrorNs: -99_999,
    },
    sight: { status: { role: "reference", reason, neighbours: [{ distrust: "" }] } },
  }) as unknown as Row;

const TALL = 50;

const widest = (columns: number) => {
  const rows = [row("h1", "waiting: 2 of 3 hosts, and a reason that goes on for ever and ever")];
  const lines = stripVTControlCharacters(tableText(rows, 3, { columns, lines: TALL })).split("\n");
  return Math.max(...lines.map((l) => l.length));
};

test("the table fits the terminal, so that it can be redrawn in place", () => {
  for (const columns of [80, 90, 100, 120, 200])
    expect(widest(columns)).toBeLessThanOrEqual(columns);
});

test("remarks are shown where there is room for them, and left out where there is none", () => {
  const rows = [row("h1", "waiting: 2 of 3 hosts")];
  expect(tableText(rows, 3, { columns: 120, lines: TALL })).toContain("waiting: 2 of 3 hosts");
  expect(tableText(rows, 3, { columns: 80, lines: TALL })).not.toContain("waiting");
});

describe("more hosts than lines", () => {
  const host = (number: number, state: string, trueErrorNs: number): Row =>
    ({
      host: { id: `h${number}` },
      sample: { state, reportedOffsetNs: 1, boundNs: 1000, trueErrorNs },
    }) as unknown as Row;
  const locked = Array.from({ length: 64 }, (_, i) => host(i + 1, "LOCKED", i));
  const text = (rows: readonly Row[], lines: number) =>
    stripVTControlCharacters(tableText(rows, 3, { columns: 80, lines }));
  const shown = (rows: readonly Row[], lines: number) =>
    [...text(rows, lines).matchAll(/\b(h\d+) /g)].map(([, id]) => id);

  test("the table is never taller than the screen", () => {
    for (const lines of [10, 24, 40, 80]) {
      // One line is the cursor's.
      expect(text(locked, lines).split("\n").length).toBeLessThan(lines);
    }
    expect(shown(locked, 80)).toHaveLength(64);
  });

  test("the worst are shown in their usual order, the others are counted", () => {
    expect(shown(locked, 11)).toEqual(["h61", "h62", "h63", "h64"]);
    expect(text(locked, 11)).toContain("and 60 more, all LOCKED");
  });

  test("a host that is not LOCKED comes before any error", () => {
    const rows = [...locked, host(65, "ACQUIRING", 0), host(66, "HOLDOVER", 0)];
    expect(shown(rows, 11)).toEqual(["h63", "h64", "h65", "h66"]);
    expect(text(rows, 8)).toContain("and 65 more: 64 LOCKED, 1 HOLDOVER");
  });
});

test("a run that ends before its figures begin says so in place of empty ones", () => {
  const figures = new Figures(performance.now());
  const text = summaryText(figures.summary({ seed: 1, ids: ["h1"], processes: [] }));
  expect(text).toContain("\nfigures begin at second 20\n");
  expect(text).not.toMatch(/p50 -|0 of 0 hosts/);
});
