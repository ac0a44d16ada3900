/** Failpoints as an outsider sees them: a server that dies, sleeps or refuses to start as asked. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "@ttcs/store";
import { afterAll, expect, test, vi } from "vitest";

const dir = mkdtempSync(join(tmpdir(), "ttcs-failpoints-"));
const ttcs = join(import.meta.dirname, "../bin/ttcs.js");
const command = [ttcs, "server", "--listen", "127.0.0.1", "--port", "0"];
const serve = (failpoints: string) => {
  const env = { ...process.env, TTCS_FAILPOINTS: failpoints };
  return spawnSync(process.execPath, [...command, "--state-dir", dir], {
    encoding: "utf8",
    env,
    timeout: 60_000,
  });
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

test("a server killed around its lease leaves a file with which the next one leads", async () => {
  const places = ["take.before", "take.after", "renew.before", "renew.after"];
  for (const place of places) expect(serve(`store.lease.${place}=kill`).signal).toBe("SIGKILL");
  expect(serve("store.memory.read=kill").signal).toBe("SIGKILL");
  const store = openStore(`sqlite:${join(dir, "server.db")}`);
  const row = async () => {
    const result = await store.leases.read("default");
    return result.ok ? result.value : undefined;
  };
  const before = (await row())!;
  const next = spawn(process.execPath, [...command, "--state-dir", dir], { stdio: "ignore" });
  try {
    // Renewed in a term of its own: it was taken, and its holder knows so.
    await vi.waitFor(
      async () => {
        const { term, renewals } = (await row())!;
        expect([term > before.term, renewals > 0n]).toEqual([true, true]);
      },
      { timeout: 30_000, interval: 100 },
    );
  } finally {
    next.kill("SIGKILL");
    await store.close();
  }
}, 120_000);

test("a place that does not exist is an error with the list of those that do", () => {
  const { status, stderr } = serve("server.nowhere=kill");
  expect(status).toBe(2);
  expect(stderr).toContain('there is no failpoint "server.nowhere"; there is agent.start, ');
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));
