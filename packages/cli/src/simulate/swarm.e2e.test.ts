/** `ttcs simulate --swarm` as an outsider sees it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const ttcs = join(import.meta.dirname, "../../bin/ttcs.js");
function swarm(...args: readonly string[]) {
  const words = [ttcs, "simulate", "--swarm", ...args];
  // About a minute on two idle cores for the hundred; the machine may be busy with other things.
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: "utf8",
    timeout: 900_000,
  });
  return { status, stdout, stderr };
}

test("a hundred random schedules of failures break no rule", { timeout: 900_000 }, () => {
  const { status, stdout, stderr } = swarm("100", "--light");
  console.log(stdout.trim().split("\n").at(-1));
  expect(stdout).toContain("100 schedule(s)");
  expect(stdout).toContain("no rule was broken");
  expect([stderr, status]).toEqual(["", 0]);
});

test.each([
  [["0"], "give a whole number"],
  [["2", "quiet-lan"], "--swarm draws its own worlds"],
  [["2", "--kinds", "earthquake"], 'there is no event "earthquake"; there is cut, '],
])("--swarm %j makes no sense: one line, and status 2", (args, text) => {
  const { status, stdout, stderr } = swarm(...args);
  expect(stderr).toContain(text);
  expect(stdout).toBe("");
  expect(status).toBe(2);
});
