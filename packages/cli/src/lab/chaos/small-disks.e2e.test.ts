/** Real small disks, mounted and filled; needs root and says so. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { SmallDisks, unmountBelow } from "./small-disks.ts";

const isRoot = process.geteuid?.() === 0;
if (!isRoot) console.log("skipped: needs root");
const mounted = (dir: string) => readFileSync("/proc/self/mounts", "utf8").includes(dir);

describe.skipIf(!isRoot)("small disks", () => {
  const dir = mkdtempSync(join(tmpdir(), "ttcs-disks-"));
  const folder = join(dir, "h1", "state");
  afterEach(() => {
    unmountBelow(dir);
    rmSync(dir, { recursive: true, force: true });
  });

  test("a full disk takes not a byte more, a freed one does, and closing unmounts it", () => {
    const disks = new SmallDisks(["h1"]);
    disks.mount([folder]);
    expect(disks.obstacle).toBeUndefined();
    const write = () => writeFileSync(join(folder, "state.json"), "{}");
    disks.fill();
    expect(write).toThrow("ENOSPC");
    disks.free();
    write();
    expect(mounted(dir)).toBe(true);
    disks.close();
    expect(mounted(dir)).toBe(false);
  });

  test("what a killed laboratory has mounted below its folder is unmounted by that name", () => {
    new SmallDisks(["h1"]).mount([folder, join(dir, "server")]);
    expect(mounted(dir)).toBe(true);
    unmountBelow(dir);
    expect(mounted(dir)).toBe(false);
  });
});
