/** Failpoints as an outsider sees them: a server that dies, sleeps or refuses to start as asked. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const dir = mkdtempSync(join(tmpdir(), "ttcs-failpoints-"));
const ttcs = join(import.meta.dirname, "../bin/ttcs.js");
const serve = (failpoints: string) => {
  const env = { ...process.env, TTCS_FAILPOINTS: failpoints };
  const args = [ttcs, "server", "--listen", "127.0.0.1", "--port", "0", "--state-dir", dir];
  return spawnSync(process.execPath, args, { encoding: "utf8", env, timeout: 60_000 });
};

test("a server that is armed to be killed once it listens is killed there", () => {
  const { signal, stderr } = serve("server.listen=kill");
  expect(stderr).toContain("TTCS_FAILPOINTS is set");
  expect(signal).toBe("SIGKILL");
});

test("an armed error comes out at its place", () => {
  const { status, signal, stderr } = serve("server.start=error");
  expect(stderr).toContain("failpoint server.start");
  expect([status, signal]).toEqual([1, null]);
});

test("a place that does not exist is an error with the list of those that do", () => {
  const { status, stderr } = serve("server.nowhere=kill");
  expect(status).toBe(2);
  expect(stderr).toContain('there is no failpoint "server.nowhere"; there is agent.start, ');
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));
