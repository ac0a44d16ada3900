import { expect, test } from "vitest";
import { readPlan } from "./plan.ts";

const good = {
  version: 1,
  timestamping: "kernel",
  hosts: [{ id: "a" }, { id: "b", clock_quality: 3, region: "r" }, { id: "c", clock_quality: 3 }],
  edges: [
    ["a", "b"],
    ["b", "a"],
    ["c", "b"],
  ] as unknown[],
};

test("without a reference the highest clock_quality is it, the first of equals", () => {
  const read = readPlan(good);
  expect(read).toMatchObject({ ok: true, plan: { reference: 1, timestamping: "kernel" } });
  expect(readPlan({ ...good, reference: "c" })).toMatchObject({ plan: { reference: 2 } });
});

test("an edge that is named twice is one edge", () => {
  expect(readPlan(good)).toMatchObject({
    plan: {
      edges: [
        [0, 1],
        [2, 1],
      ],
    },
  });
});

test.each([
  [[], "is no object", undefined],
  [{ ...good, version: 2 }, "version is not 1", 2],
  [{ ...good, timestamping: "sundial" }, "timestamping is not", "sundial"],
  [{ ...good, hosts: [] }, "hosts is no list", []],
  [{ ...good, hosts: [{ id: "a" }, { id: "a" }] }, "two hosts have one id", "a"],
  [{ ...good, hosts: [{ id: "a,b" }] }, "no id that fits", "a,b"],
  [{ ...good, hosts: [{}] }, "no id that fits", undefined],
  [{ ...good, hosts: ["a"] }, "a host is no object", "a"],
  [{ ...good, hosts: [{ id: "a", clock_quality: "x" }] }, "clock_quality", "a"],
  [{ ...good, edges: "ab" }, "edges is no list", "ab"],
  [{ ...good, edges: [["a"]] }, "an edge is no pair", ["a"]],
  [{ ...good, edges: [["a", "z"]] }, "unknown host", "z"],
  [{ ...good, edges: [["a", "a"]] }, "joins a host with itself", "a"],
  [{ ...good, reference: "z" }, "reference is an unknown host", "z"],
  [{ ...good, reference: null }, "reference is an unknown host", null],
])("%j is refused with the value that is wrong", (json, reason, value) => {
  const read = readPlan(json);
  expect(read).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  expect(read).toHaveProperty("value", value);
});
