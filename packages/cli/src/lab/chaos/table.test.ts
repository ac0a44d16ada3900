import { expect, test } from "vitest";
import { chaosTable, resultLine, statesText } from "./table.ts";
import type { DeedResult } from "./verdict.ts";

const expected = "another host leads, nobody steps or leaves its course";
const done: DeedResult = {
  deed: "reference-killed",
  expected,
  verdicts: [{ figure: "another_leads_s", measured: "3.2 s", bar: "at most 6.0 s", ok: true }],
  ok: true,
};

test("the table tells every word of what is expected, also with fewer bars than lines", () => {
  const text = chaosTable([done]);
  for (const word of expected.split(" ")) expect(text).toContain(word);
  expect(text).toMatch(/another leads +│ +3\.2 s │ +at most 6\.0 s/);
});

test("what was skipped says why and is no failure, what failed is one", () => {
  const skipped = { ...done, verdicts: [], skipped: "needs root" };
  const failed = { ...done, verdicts: [], failed: "not all were LOCKED", ok: false };
  expect(chaosTable([skipped])).toContain("skipped: needs root");
  expect(chaosTable([skipped])).not.toContain("NO");
  expect(chaosTable([failed])).toMatch(/not all were LOCKED.*NO/);
  expect(resultLine(skipped)).toContain("skipped");
});

test("hosts are counted by state, and who does not answer is away", () => {
  expect(statesText(["LOCKED", "LOCKED", undefined])).toBe("2 LOCKED, 1 away");
});
