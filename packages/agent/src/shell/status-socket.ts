/**
 * Answers `ttcs-agentq` on a Unix socket: one request per line, one JSON document per line back.
 * Requests: "status" and "now".
 */
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";

/** What can be asked; each returns something that JSON can hold. */
export type StatusRequests = Readonly<Record<string, () => unknown | Promise<unknown>>>;

/** Requests longer than this are no request (characters). */
const REQUEST_LIMIT = 64;

/** Serves `requests` at `path`; a stale socket file is replaced. */
export async function serveStatus(path: string, requests: StatusRequests): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).on("line", async (line) => {
      socket.write(`${JSON.stringify(await answer(line, requests))}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return server;
}

async function answer(line: string, requests: StatusRequests): Promise<unknown> {
  const request = line.slice(0, REQUEST_LIMIT).trim();
  const handler = Object.hasOwn(requests, request) ? requests[request] : undefined;
  if (!handler) {
    return { error: `unknown request "${request}"; ask ${Object.keys(requests).join(" or ")}` };
  }
  try {
    return await handler();
  } catch (error) {
    return { error: (error as Error).message };
  }
}
