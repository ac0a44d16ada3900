import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkForeign, checkJson } from "./checks.ts";
import { parseForeign } from "./foreign.ts";

const dir = mkdtempSync(join(tmpdir(), "ttcs-checks-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("the JSON file is no folder, and its folder is there", () => {
  expect(() => checkJson(dir)).toThrow(`--json ${dir}: is a folder; give a file`);
  expect(() => checkJson(join(dir, "none", "x.json"))).toThrow("cannot be written: ENOENT");
  expect(() => checkJson(join(dir, "x.json"))).not.toThrow();
});

test("a hand has a host, and moves before the end", () => {
  const check = (text: string, seconds: number) =>
    checkForeign({ foreign: [parseForeign(text)], hosts: 3, seconds });
  expect(() => check("h2@500:step=1", 4)).toThrow(
    "--foreign h2@500: the laboratory ends after 4 s",
  );
  expect(() => check("h4@1:step=1", 4)).toThrow("--foreign names h4; hosts are h1 to h3");
  expect(() => check("h2@500:step=1", Infinity)).not.toThrow();
});
