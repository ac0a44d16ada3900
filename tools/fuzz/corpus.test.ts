/** What broke something once does so no more. */
import { basename } from "node:path";
import { expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { faultOf } from "./engine.ts";
import type { FuzzTarget } from "./target.ts";
import { targets } from "./targets/index.ts";

const made = new Map<string, FuzzTarget>();

function targetOf(name: string): FuzzTarget {
  const target = made.get(name) ?? targets[name]();
  made.set(name, target);
  return target;
}

const files = corpus();

test("there is a corpus, and a target for each input", () => {
  expect(files.length).toBeGreaterThan(10);
  for (const { target } of files) expect(Object.keys(targets)).toContain(target);
});

test.each(files.map((f) => [basename(f.file), f] as const))(
  "%s is dealt with",
  (_, { target: name, input }) => {
    const target = targetOf(name);
    target.life?.begin();
    expect(faultOf(target, input)).toBeUndefined();
  },
);
