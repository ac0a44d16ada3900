/** Keeps table, places and page of the failpoints together. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { failpointTable } from "../packages/units/src/failpoints.ts";

const root = join(import.meta.dirname, "..");
const names = Object.keys(failpointTable);

/** Every call in the sources, with its file. */
const calls = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })
  .filter((f) => /^[^/]+\/src\/.*\.ts$/.test(f) && !f.endsWith(".test.ts"))
  .filter((f) => f !== "units/src/failpoints.ts")
  .flatMap((file) => {
    const text = readFileSync(join(root, "packages", file), "utf8");
    return [...text.matchAll(/\bfailpoint\("([^"]*)"\)/g)].map(([, name]) => ({ file, name }));
  });

test("every failpoint of the table stands at one place, and every place is in the table", () => {
  expect(calls.map(({ name }) => name).sort()).toEqual([...names].sort());
});

test("failpoints stand in shells only", () => {
  for (const { file } of calls) expect(file).not.toMatch(/\/src\/core\//);
});

test("docs/failpoints.md lists all of them, each with its meaning", () => {
  const page = readFileSync(join(root, "docs/failpoints.md"), "utf8");
  const listed = [...page.matchAll(/^\| `([\w.]+)` \| (.*) \|$/gm)].map(([, n, what]) => [n, what]);
  expect(listed).toEqual(Object.entries(failpointTable));
});
