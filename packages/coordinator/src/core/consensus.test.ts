import { expect, test } from "vitest";
import { whyNoConsensus } from "./consensus.ts";

const hosts = Array.from({ length: 12 }, (_, i) => i + 1);
const anchors = new Set([1, 2, 3, 4, 5]);
const why = (out: readonly number[], badCount = 20) =>
  whyNoConsensus({
    hosts,
    anchors,
    out: new Map(out.map((host) => [host, "expelled"])),
    badCount,
    edgeCount: 60,
  });

test("a third of the hosts may be out, more not", () => {
  expect(why([9, 10, 11, 12])).toBe("");
  expect(why([8, 9, 10, 11, 12])).toBe(
    "no consensus: 20 of 60 edges contradict each other; 5 of 12 hosts would have to be left out",
  );
});

test("a minority of the anchors may be out, half of them not, and never the reference", () => {
  expect(why([4, 5])).toBe("");
  expect(why([3, 4, 5])).toContain("3 of 5 anchors");
  expect(why([1])).toContain("the reference's own among them");
});

test("too many impossible edges are no consensus even when nobody can be blamed", () => {
  expect(why([], 33)).toBe("");
  expect(why([], 34)).toBe("no consensus: 34 of 60 edges contradict each other");
});
