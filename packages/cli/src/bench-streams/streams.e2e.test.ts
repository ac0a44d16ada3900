/**
 * The benchmark of streams in small: nothing is said of how fast this machine is, but all are served,
 * stalled readers are ended with a line in the log, and a killed server gets all its agents back.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StreamsResult } from "./run.ts";

const AGENTS = 40;
const program = join(import.meta.dirname, "../../bin/ttcs.js");

test("agents are served beside stalled readers, and all come back to a server that was killed", () => {
  const dir = mkdtempSync(join(tmpdir(), "ttcs-bench-"));
  const json = join(dir, "streams.json");
  const options = ["--agents", `${AGENTS}`, "--seconds", "3", "--stalled", "8", "--restart"];
  const done = spawnSync(
    process.execPath,
    [program, "bench", "streams", ...options, "--json", json],
    {
      encoding: "utf8",
    },
  );
  console.log(done.stdout);
  const { result } = JSON.parse(readFileSync(json, "utf8")) as { result: StreamsResult };
  rmSync(dir, { recursive: true, force: true });
  const { calm, stalled, restart } = result;
  expect(calm.stretch.corrections).toBeGreaterThan(AGENTS);
  expect(calm.stretch.outsideBound).toBe(0);
  expect(calm.stretch.errorNs.p99).toBeLessThan(1_000);
  expect(calm.stretch.refusals).toEqual([]);
  expect(stalled!.endedAfterS).toBeLessThan(30);
  expect(stalled!.logLines).toBeGreaterThan(0);
  expect(stalled!.use.memoryMb - calm.use.memoryMb).toBeLessThan(100);
  expect(restart!.servedCount).toBe(AGENTS);
}, 170_000);
