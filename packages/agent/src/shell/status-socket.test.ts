import { mkdtempSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { serveStatus } from "./status-socket.ts";

const path = () => join(mkdtempSync(join(tmpdir(), "ttcs-status-")), "agent.sock");

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
  await new Promise((resolve) => first.close(resolve));
  await serve(address);
  expect(await ask(address, "status\n")).toEqual([{ state: "LOCKED" }]);
});
