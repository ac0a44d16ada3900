/**
 * The laboratory with links that queue, as an outsider sees it. The machine that runs this may be
 * busy, so limits are wide and the figures are printed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { LabSummary } from "./figures.ts";
import { PROFILE_NAMES, type ProfileName } from "./profiles.ts";

/** The long form of this suite says how long (s); it shares the time out among all profiles. */
const LONG_S = Number(process.env.TTCS_LAB_SECONDS ?? 0);
/** Errors are judged from second 20 on. */
const SHORT_S = 25;
const HOSTS = 8;
/** The widest error that a busy machine may show on these links (ns). */
const LIMIT_P99_NS: Readonly<Record<ProfileName, number>> = {
  quiet: 5_000,
  busy: 10_000,
  asymmetric: 5_000,
  cloud: 50_000,
};

const dir = mkdtempSync(join(tmpdir(), "ttcs-profiles-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a laboratory to its end and returns its file. */
async function runLab(args: readonly string[], seconds: number): Promise<{ summary: LabSummary }> {
  const program = join(import.meta.dirname, "../../bin/ttcs.js");
  const json = join(dir, "lab.json");
  const common = ["lab", "--hosts", `${HOSTS}`, "--seed", "5", "--seconds", `${seconds}`];
  const lab = spawn(process.execPath, [program, ...common, "--json", json, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const status = await new Promise((resolve) => lab.once("exit", resolve));
  expect(status).toBe(0);
  return JSON.parse(readFileSync(json, "utf8"));
}

for (const profile of LONG_S ? PROFILE_NAMES : (["busy"] as const)) {
  test(`${profile} links: the truth never leaves a bound`, { timeout: 0 }, async () => {
    const seconds = Math.max(SHORT_S, LONG_S / PROFILE_NAMES.length);
    const { summary } = await runLab(["--profile", profile], seconds);
    expect(summary.samples).toBeGreaterThan(HOSTS * 20);
    expect(summary.within_bound_share).toBe(1);
    expect(summary.true_error_ns.p99!).toBeLessThan(LIMIT_P99_NS[profile]);
    expect(Object.values(summary.seconds_to_locked)).not.toContain(null);
  });
}
