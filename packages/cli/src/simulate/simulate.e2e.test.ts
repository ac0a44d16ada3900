/** `ttcs simulate` as an outsider sees it: a table, an exit status, a command that repeats a failure. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const dir = mkdtempSync(join(tmpdir(), "ttcs-simulate-"));
afterAll(() => rmSync(dir, { recursive: true }));

function simulate(...args: readonly string[]) {
  const ttcs = join(import.meta.dirname, "../../bin/ttcs.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [ttcs, "simulate", ...args], {
    encoding: "utf8",
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

const hashes = (text: string) => text.match(/\b[0-9a-f]{16}\b/g);

test("a run keeps its limits, and the same seed gives the same hash again", () => {
  const file = join(dir, "figures.json");
  const args = ["quiet-lan", "--seconds", "25", "--hosts", "4", "--seeds", "5-6"];
  const first = simulate(...args, "--json", file);
  expect(first.stderr).toBe("");
  expect(first.status).toBe(0);
  expect(first.stdout).toContain("x real time; all limits kept");
  const seen = hashes(first.stdout)!;
  expect(new Set(seen).size).toBe(2);
  expect(hashes(simulate(...args).stdout)).toEqual(seen);
  const { runs } = JSON.parse(readFileSync(file, "utf8"));
  expect(runs.map((r: { figures: { hash: string } }) => r.figures.hash)).toEqual(seen);
});

test("a missed limit is told with its seed and a command that runs the same again; status 1", () => {
  // One pair a second through long queues: ten times over the limit.
  const missed = simulate("013", "--seconds", "21", "--seed", "7", "--pairs-per-second", "1");
  expect(missed.status).toBe(1);
  expect(missed.stdout).toMatch(/missed: .*limit/);
  const again = /again: ttcs simulate (.*)/.exec(missed.stdout)![1];
  expect(again).toBe("S3 --seed 7 --seconds 21 --pairs-per-second 1");
  expect(hashes(simulate(...again.split(" ")).stdout)).toEqual(hashes(missed.stdout));
});

test.each([
  [["nonsense"], 'there is no scenario "nonsense"; see --list'],
  [["--seeds", "9-3"], "--seeds 9-3: give a range like 1-20"],
  [["pause", "--hosts", "3"], "--hosts 3: pause needs 5 hosts at least"],
  [["quiet-lan", "--seconds", "5"], "judges errors from 20 s on; give more"],
  [["quiet-lan", "--json", "/nowhere/figures.json"], "/nowhere/figures.json: cannot be written"],
  [["--seed", "1.5"], "give a whole number"],
])("%j makes no sense: one line, and status 2", (args, text) => {
  const { status, stdout, stderr } = simulate(...args);
  expect(stderr).toContain(text);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stdout).toBe("");
  expect(status).toBe(2);
});

test("the list names every scenario in a line of its own", () => {
  const { status, stdout } = simulate("--list");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^011 S1 +\d+ s {2}Stated world S1/m);
});
