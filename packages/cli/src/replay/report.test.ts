import { expect, test } from "vitest";
import { lineChart, sparkline } from "./chart.ts";
import { estimateRow } from "./estimate-row.ts";
import { quantile } from "./tally.ts";

const estimate = { host: 0, hostNs: 12n, freqPpb: -1.23456, sigmaNs: 3, boundNs: 1e4 };

test.each([
  [0, "1000000000000000000.000"],
  [0.0004, "1000000000000000000.000"],
  [0.25, "999999999999999999.750"],
  [0.9999, "999999999999999999.000"],
])("an instant %f ns earlier is written as %s", (earlierNs, text) => {
  const row = estimateRow("h1", { ...estimate, referenceNs: 10n ** 18n, earlierNs });
  expect(row).toBe(`h1,12,${text},-1.235,3.000,10000.000\n`);
});

test("a picture keeps the peak of a long course, and names are made safe", () => {
  const values = Array.from({ length: 10_000 }, (_, i) => (i === 5_003 ? 1_000 : 1));
  const atS = values.map((_, i) => i);
  const series = [{ name: "x", atS, values }];
  const flat = [{ name: "x", atS, values: values.map(() => 1) }];
  const unit = (value: number) => value.toFixed(0);
  const svg = lineChart({ title: "<b>", series, unit });
  expect(svg).toContain("&#60;b&#62;");
  expect(svg).toContain(">1000</text>");
  expect(svg.length).toBeLessThan(6_000);
  expect(lineChart({ title: "flat", series: flat, unit: String })).not.toContain("NaN");
  expect(
    lineChart({ title: "none", series: [{ name: "x", atS: [], values: [] }], unit }),
  ).toContain("no values");
  expect(lineChart({ title: "d", series, unit, decades: true })).toContain(">100</text>");
  expect(sparkline([0, 0, 0], 0, "still")).not.toContain("NaN");
});

test("a quantile is one of the values", () => {
  expect(quantile(Float64Array.of(1, 2, 3, 4), 0.5)).toBe(3);
  expect(quantile(new Float64Array(0), 0.5)).toBeNaN();
});
