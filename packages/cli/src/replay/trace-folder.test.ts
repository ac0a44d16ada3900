import { expect, test } from "vitest";
import { planOf, TraceFault } from "./trace-folder.ts";

/** What is said of a text that is no plan. */
function faultOf(text: string): string {
  try {
    planOf(text, "trace.json");
  } catch (error) {
    if (error instanceof TraceFault) return error.message;
    throw error;
  }
  throw new Error("was accepted");
}

test("what is wrong with a plan is one line, and nothing in it steers a terminal", () => {
  expect(faultOf('{"version":\u001b[2J1}')).toMatch(/^trace\.json: line 1: no JSON: \P{Cc}+$/u);
  expect(faultOf('{"version":"\u009b2J"}')).toMatch(/^trace\.json: line 1: version \P{Cc}+$/u);
  expect(faultOf("{\n\n")).toMatch(/^trace\.json: line 3: no JSON: \P{Cc}+$/u);
});
