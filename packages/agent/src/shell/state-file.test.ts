import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Disk, realDisk, StateFile } from "./state-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ttcs-state-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failing = (call: keyof Disk, code: string): Disk => ({
  ...realDisk,
  [call]: async () => {
    throw Object.assign(new Error(`${code}: it failed`), { code });
  },
});

test("what is written last is read, and nothing else is left in the folder", async () => {
  const file = new StateFile(join(folder, "new"), () => {});
  expect(file.read()).toBeUndefined();
  for (const text of ["one", "two", "three"]) file.write(text);
  await file.settled();
  expect(file.read()).toBe("three");
  expect(readdirSync(join(folder, "new"))).toEqual(["agent-state.json"]);
});

const calls = ["mkdir", "write", "rename", "sync"] as const;
const faults = calls.flatMap((call) => ["ENOSPC", "EROFS", "EIO"].map((code) => [call, code]));

test.each(faults as [keyof Disk, string][])(
  "%s failing with %s is told and counted, and the old text stays whole",
  async (call, code) => {
    const told: (string | undefined)[] = [];
    const good = new StateFile(folder, () => {});
    good.write("old");
    await good.settled();
    const bad = new StateFile(folder, (fault) => told.push(fault), failing(call, code));
    bad.write("new");
    await bad.settled();
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`${bad.path}: ${code}`);
    expect(bad.counters).toEqual({ writes: 0, failures: 1 });
    // Once the name is taken the new text is as whole as the old one.
    expect(good.read()).toBe(call === "sync" ? "new" : "old");
    bad.write("again");
    await bad.settled();
    expect(bad.counters.failures).toBe(2);
  },
);

test("whoever is killed half way leaves the old text: only a whole new one takes its name", async () => {
  const file = new StateFile(folder, () => {});
  file.write("old");
  await file.settled();
  writeFileSync(`${file.path}.new`, "ne");
  expect(file.read()).toBe("old");
  file.write("newer");
  await file.settled();
  expect(readFileSync(file.path, "utf8")).toBe("newer");
});

test("a file that cannot be read is told, and is no text", () => {
  const told: (string | undefined)[] = [];
  const file = new StateFile(join(folder, "a\0b"), (fault) => told.push(fault));
  expect(file.read()).toBeUndefined();
  expect(told).toHaveLength(1);
});
