/**
 * A recorded laboratory, replayed: the estimates of `ttcs replay` against the truth of the clocks, and
 * another hand on one of them meanwhile, through the shipped programs.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { AgentClient } from "../agentq/client.ts";
import type { LabSummary } from "./figures.ts";

const dir = mkdtempSync(join(tmpdir(), "ttcs-recording-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const program = join(import.meta.dirname, "../../bin/ttcs.js");

function run(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (d) => (output += d));
  const ended = new Promise<{ status: number | null; output: string }>((resolve) => {
    child.once("exit", (status) => resolve({ status, output }));
  });
  return { child, ended };
}

interface Told {
  readonly state: string;
  readonly reason: string;
}

test("another hand is named in a real agent within 2 s of its deed, and the recording replays within its bounds", async () => {
  const json = join(dir, "lab.json");
  const trace = join(dir, "trace");
  const lab = run(
    `lab --hosts 4 --seconds 32 --seed 5 --json ${json} --record ${trace} --foreign h3@18:slew=100 --foreign h4@18:step=1`.split(
      " ",
    ),
  );
  const started = performance.now();
  const seen = new Map<string, { readonly told: Told; readonly atS: number }>();
  for (let atS = 0; atS < 24; atS = (performance.now() - started) / 1000) {
    await sleep(100);
    if (atS < 10) continue;
    const { agents } = JSON.parse(readFileSync(json, "utf8"));
    for (const { id, status } of agents) {
      const client = new AgentClient(status);
      const told = await client.ask("status").catch(() => undefined);
      client.close();
      if (told?.state === "DISRUPTED" && !seen.has(id)) seen.set(id, { told, atS });
    }
  }
  const { status, output } = await lab.ended;
  console.log(output);
  expect(status).toBe(0);
  expect([...seen.keys()].sort()).toEqual(["h3", "h4"]);
  const [slewed, stepped] = [seen.get("h3")!, seen.get("h4")!];
  console.log(`named at second ${slewed.atS.toFixed(1)} and ${stepped.atS.toFixed(1)}`);
  expect(slewed.told.reason).toMatch(/rate by \+(9\d|10\d)\.\d ppm/);
  expect(stepped.told.reason).toMatch(/stepped it by \+(0\.9\d\d|1\.0\d\d) ms/);
  // The deed is at second 18 of the laboratory, which begins a little after its process.
  for (const { atS } of seen.values()) expect(atS).toBeLessThan(18 + 2 + 1.5);
  const { summary } = JSON.parse(readFileSync(json, "utf8")) as { summary: LabSummary };
  expect(summary.within_bound_share).toBe(1);
  expect(summary.probes.balance).toBe(0);

  const out = join(dir, "estimates.csv");
  const replay = await run(["replay", trace, "--out", out]).ended;
  console.log(replay.output);
  expect(replay.status).toBe(0);
  expect(replay.output).toMatch(/within the bound: 100 % of \d+/);
  expect(readFileSync(out, "utf8").split("\n").length).toBeGreaterThan(3 * 40);
}, 120_000);
