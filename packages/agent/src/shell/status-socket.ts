/**
 * Answers `ttcs-agentq` on a Unix socket: one request per line, one JSON document per line back.
 *
 * Who asks is not trusted to behave: a line has a limit, whoever does not read his answers is not
 * answered any more, and when there are too many connections, the one silent for longest makes room.
 */
import { mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { failpoint, TtcsError } from "@ttcs/units";

/** What can be asked; each returns something that JSON can hold, or a string that is JSON already. */
export type StatusRequests = Readonly<Record<string, () => unknown | Promise<unknown>>>;

/** A request may be this long (characters); more without an end of line is no request. */
const REQUEST_LIMIT = 64;
const LINE_LIMIT = 4_096;
/** Answers that wait to be read, at most (bytes): some hundred. */
const BACKLOG_LIMIT_BYTES = 1 << 20;
const CONNECTIONS_MAX = 64;

/** What was turned away, by kind, since the start. */
export interface StatusCounters {
  connections: number;
  /** Had to make room, being silent for longest. */
  evicted: number;
  /** Sent a line without an end. */
  endless_lines: number;
  /** Did not read the answers. */
  unread_answers: number;
  unknown_requests: number;
}

/** A status server and what it has turned away. */
export interface StatusServer {
  readonly counters: Readonly<StatusCounters>;
  close(): void;
}

/**
 * Serves `requests` at `path`; the socket file of an agent that has died is replaced.
 *
 * @throws TtcsError AGENT_SERVER when an agent answers there already: two hands on one clock.
 */
export async function serveStatus(path: string, requests: StatusRequests): Promise<StatusServer> {
  if (await answers(path)) {
    const detail = `another agent runs already and answers at ${path}; stop it first`;
    throw new TtcsError("AGENT_SERVER", { detail });
  }
  const room = new Room(requests);
  try {
    await room.listen(path);
    return room;
  } catch (cause) {
    const detail = `cannot answer at ${path} (${(cause as Error).message}); set status_socket`;
    throw new TtcsError("AGENT_SERVER", { detail }, { cause });
  }
}

class Room implements StatusServer {
  readonly counters: StatusCounters = {
    connections: 0,
    evicted: 0,
    endless_lines: 0,
    unread_answers: 0,
    unknown_requests: 0,
  };
  readonly #requests: StatusRequests;
  /** In the order in which they spoke last, the longest silence first. */
  readonly #guests = new Set<Socket>();
  readonly #server: Server;

  constructor(requests: StatusRequests) {
    this.#requests = requests;
    this.#server = createServer((socket) => this.#enter(socket));
  }

  async listen(path: string): Promise<void> {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    // Accepting may fail for want of descriptors; those who are in go on.
    this.#server.on("error", () => {});
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#guests) socket.destroy();
  }

  #enter(socket: Socket): void {
    this.counters.connections++;
    if (this.#guests.size >= CONNECTIONS_MAX) {
      this.counters.evicted++;
      for (const silent of this.#guests) {
        this.#leave(silent);
        break;
      }
    }
    this.#guests.add(socket);
    socket.on("error", () => this.#leave(socket));
    socket.on("close", () => this.#guests.delete(socket));
    void this.#converse(socket);
  }

  #leave(socket: Socket): void {
    this.#guests.delete(socket);
    socket.destroy();
  }

  /** Answers line by line; nothing more is read while an answer is under way. */
  async #converse(socket: Socket): Promise<void> {
    let rest = "";
    socket.setEncoding("latin1");
    try {
      for await (const chunk of socket) {
        const lines = (rest + (chunk as string)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) await this.#answer(socket, line);
        if (rest.length <= LINE_LIMIT) continue;
        this.counters.endless_lines++;
        break;
      }
    } catch {
      // The connection broke: there is nobody to tell.
    }
    this.#leave(socket);
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    if (socket.destroyed) return;
    if (socket.writableLength > BACKLOG_LIMIT_BYTES) {
      this.counters.unread_answers++;
      return this.#leave(socket);
    }
    const request = line.slice(0, REQUEST_LIMIT).trim();
    const handler = Object.hasOwn(this.#requests, request) ? this.#requests[request] : undefined;
    if (handler) {
      // Whoever asks what can be answered is no junk: he moves to the end of the row.
      this.#guests.delete(socket);
      this.#guests.add(socket);
    } else this.counters.unknown_requests++;
    const result = await this.#result(request, handler);
    failpoint("agent.status.answer");
    socket.write(`${typeof result === "string" ? result : JSON.stringify(result)}\n`);
  }

  async #result(request: string, handler: (() => unknown) | undefined): Promise<unknown> {
    if (!handler) {
      const known = Object.keys(this.#requests).join(" or ");
      return { error: `unknown request "${request}"; ask ${known}` };
    }
    try {
      return await handler();
    } catch (error) {
      return { error: (error as Error).message };
    }
  }
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
