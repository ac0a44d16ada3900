import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { serveStatus } from "./status-socket.ts";

/** A place for a socket, gone when the test is over. */
function path(): string {
  const dir = mkdtempSync(join(tmpdir(), "ttcs-status-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "agent.sock");
}

function ask(address: string, lines: string): Promise<unknown[]> {
  const wanted = lines.trimEnd().split("\n").length;
  return new Promise((resolve) => {
    const socket = connect(address);
    const answers: unknown[] = [];
    createInterface({ input: socket }).on("line", (line) => {
      answers.push(JSON.parse(line));
      if (answers.length === wanted) socket.destroy();
    });
    socket.on("close", () => resolve(answers));
    socket.write(lines);
  });
}

async function serve(address: string) {
  const server = await serveStatus(address, {
    status: () => ({ state: "LOCKED" }),
    now: async () => {
      await sleep(20);
      throw new Error("no clock");
    },
  });
  onTestFinished(() => {
    server.close();
  });
  return server;
}

test("each line is answered in its turn by one JSON line; junk and faults with a reason", async () => {
  const address = path();
  await serve(address);
  const answers = await ask(address, "now\nstatus\n__proto__\n");
  expect(answers[0]).toEqual({ error: "no clock" });
  expect(answers[1]).toEqual({ state: "LOCKED" });
  expect(answers[2]).toEqual({ error: 'unknown request "__proto__"; ask status or now' });
});

test("a second agent on the same socket is refused, a stale socket file is replaced", async () => {
  const address = path();
  const first = await serve(address);
  await expect(serve(address)).rejects.toThrow(/Failed to create agent server: another agent/);
  first.close();
  await serve(address);
  expect(await ask(address, "status\n")).toEqual([{ state: "LOCKED" }]);
});

async function until(done: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < 4_000 && !done(); waitedMs += 10) await sleep(10);
  expect(done()).toBe(true);
}

test("a line without an end ends its connection, and a client that does not read is left", async () => {
  const address = path();
  const server = await serveStatus(address, { status: () => "x".repeat(100_000) });
  onTestFinished(() => server.close());
  const endless = connect(address);
  endless.on("error", () => {});
  endless.write("y".repeat(10_000));
  await until(() => server.counters.endless_lines === 1);
  const deaf = connect(address);
  deaf.on("error", () => {});
  deaf.pause();
  deaf.write("status\n".repeat(200));
  await until(() => server.counters.unread_answers === 1);
  deaf.destroy();
  expect(server.counters.connections).toBe(2);
});

test("among too many connections the silent ones make room, not the one that asks", async () => {
  const address = path();
  const server = await serve(address);
  const first = connect(address);
  const answers: string[] = [];
  createInterface({ input: first }).on("line", (line) => answers.push(line));
  await until(() => server.counters.connections === 1);
  const silent = Array.from({ length: 60 }, () => connect(address).on("error", () => {}));
  await until(() => server.counters.connections === 61);
  first.write("status\n");
  await until(() => answers.length === 1);
  silent.push(...Array.from({ length: 40 }, () => connect(address).on("error", () => {})));
  await until(() => server.counters.evicted === 37);
  first.write("status\n");
  await until(() => answers.length === 2);
  for (const socket of [first, ...silent]) socket.destroy();
});
