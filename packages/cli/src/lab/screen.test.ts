import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { type Row, tableText } from "./screen.ts";

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

const widest = (columns: number) => {
  const rows = [row("h1", "waiting: 2 of 3 hosts, and a reason that goes on for ever and ever")];
  const lines = stripVTControlCharacters(tableText(rows, 3, columns)).split("\n");
  return Math.max(...lines.map((l) => l.length));
};

test("the table fits the terminal, so that it can be redrawn in place", () => {
  for (const columns of [80, 90, 100, 120, 200])
    expect(widest(columns)).toBeLessThanOrEqual(columns);
});

test("remarks are shown where there is room for them, and left out where there is none", () => {
  const rows = [row("h1", "waiting: 2 of 3 hosts")];
  expect(tableText(rows, 3, 120)).toContain("waiting: 2 of 3 hosts");
  expect(tableText(rows, 3, 80)).not.toContain("waiting");
});
