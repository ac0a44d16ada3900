/**
 * Answers `ttcs-agentq` on a Unix socket: one request per line, one JSON document per line back.
 * Requests: "status" and "now".
 */
import { mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { TtcsError } from "@ttcs/units";

/** What can be asked; each returns something that JSON can hold. */
export type StatusRequests = Readonly<Record<string, () => unknown | Promise<unknown>>>;

/** Requests longer than this are no request (characters). */
const REQUEST_LIMIT = 64;

/**
 * Serves `requests` at `path`; the socket file of an agent that has died is replaced.
 *
 * @throws TtcsError AGENT_SERVER when an agent answers there already: two hands on one clock.
 */
export async function serveStatus(path: string, requests: StatusRequests): Promise<Server> {
  if (await answers(path)) {
    const detail = `another agent runs already and answers at ${path}; stop it first`;
    throw new TtcsError("AGENT_SERVER", { detail });
  }
  try {
    return await listen(path, requests);
  } catch (cause) {
    const detail = `cannot answer at ${path} (${(cause as Error).message}); set status_socket`;
    throw new TtcsError("AGENT_SERVER", { detail }, { cause });
  }
}

async function listen(path: string, requests: StatusRequests): Promise<Server> {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    const lines = createInterface({ input: socket });
    // One after the other: answers come in the order of the questions.
    let last = Promise.resolve();
    lines.on("line", (line) => {
      last = last.then(async () => {
        socket.write(`${JSON.stringify(await answer(line, requests))}\n`);
      });
    });
    // readline repeats the socket's errors, which are dealt with above.
    lines.on("error", () => {});
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return server;
}

/** True when somebody listens at `path`. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
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
