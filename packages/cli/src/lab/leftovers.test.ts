import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { leftovers } from "./leftovers.ts";

test("left over is what carries the id of a process that is gone, and nothing else", () => {
  const dir = mkdtempSync(join(tmpdir(), "ttcs-leftovers-"));
  const deadPid = spawnSync("true").pid;
  const names = [`lab-${deadPid}-a`, `lab-${process.pid}-b`, "lab-x-c", `other-${deadPid}-d`];
  for (const name of names) mkdirSync(join(dir, name));
  expect(leftovers(dir, /^lab-(\d+)-/)).toEqual([`lab-${deadPid}-a`]);
  rmSync(dir, { recursive: true });
});

test("a folder that nobody has made holds none", () => {
  expect(leftovers("/nowhere/at/all", /(\d+)/)).toEqual([]);
});
