import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NowStatus } from "@ttcs/agent";
import { afterAll, afterEach, expect, test } from "vitest";
import { AgentClient, answerOf } from "./client.ts";
import { formatNow } from "./format.ts";

const dir = mkdtempSync(join(tmpdir(), "ttcs-client-"));
const path = join(dir, "s.sock");
let server: Server;
afterEach(() => server.close());
afterAll(() => rmSync(dir, { recursive: true }));

/** Answers every question with these lines. */
async function answering(text: string): Promise<AgentClient> {
  server = createServer((socket) => {
    socket.on("data", () => socket.end(`${text}\n`)).on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return new AgentClient(path);
}

test.each([
  "HTTP/1.1 400 Bad Request",
  "null",
  "7",
  "[]",
  "{}",
  '{"state":"LOCKED"}',
  '{"state":"LOCKED","host":"h1","correction_age_s":null,"neighbours":[null]}',
  '{"state":"LOCKED","host":"h1","correction_age_s":null,"neighbours":[],"guard":{}}',
  '{"state":"LOCKED","host":"h1","correction_age_s":1,"neighbours":[],"alarms":[],"guard":{},"x":[[[[[[[[[]]]]]]]]]}',
  '{"state":"LOCKED","host":"h1","correction_age_s":null,"neighbours":[],"alarms":[]}',
  '{"state":"LOCKED","host":"h1","correction_age_s":1,"neighbours":[{"solve":{}}],"alarms":[],"guard":{}}',
])("what answers %s is not taken for an agent", async (text) => {
  const client = await answering(text);
  const message = `Cannot reach the agent at ${path}: it does not answer like an agent`;
  await expect(client.ask("status")).rejects.toThrow(message);
  client.close();
});

test("an agent's own refusal is passed on", async () => {
  const client = await answering('{"error":"ask status or now"}');
  await expect(client.ask("now")).rejects.toThrow("ask status or now");
  client.close();
});

test("nothing that an agent says of itself or of others steers a terminal", async () => {
  expect(answerOf('{"error":"a\\u001b[2Jb"}', "status")).toBe("a\ufffd[2Jb");
  const now = answerOf('{"state":"LOCKED\\u009b2J","kernel_monotonic_raw_ns":"1"}', "now");
  expect(formatNow(now as NowStatus)).toContain("LOCKED\ufffd2J");
});
