/** A client of the agent's status socket: one request per line, one JSON document per line back. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { AgentStatus, NowStatus } from "@ttcs/agent";
import { TtcsError } from "@ttcs/units";
import { harmless } from "../harmless.ts";

/** What can be asked, and what comes back. */
export interface Answers {
  readonly status: AgentStatus;
  readonly now: NowStatus;
}

/** An agent that does not answer within this long is unreachable (ms). */
const TIMEOUT_MS = 3_000;
/** No answer is nested deeper; to put one that is into words takes for ever. */
const DEPTH_MAX = 8;

/** A connection that is kept open; answers come in the order of the questions. */
export class AgentClient {
  readonly #address: string;
  readonly #socket: Socket;
  readonly #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];

  /** @param address path of a Unix socket, or host:port */
  constructor(address: string) {
    this.#address = address;
    const tcp = address.startsWith("/") ? null : /^(.+):(\d+)$/.exec(address);
    this.#socket = tcp ? connect(Number(tcp[2]), tcp[1]) : connect(address);
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("the agent closed the connection")));
    const lines = createInterface({ input: this.#socket });
    lines.on("line", (line) => this.#waiting.shift()?.resolve(line));
    // readline repeats the socket's errors, which are dealt with above.
    lines.on("error", () => {});
  }

  /** @throws TtcsError AGENT_UNREACHABLE */
  async ask<K extends keyof Answers>(request: K): Promise<Answers[K]> {
    const late = setTimeout(() => this.#socket.destroy(new Error("no answer")), TIMEOUT_MS);
    const line = await new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#socket.destroyed) this.#fail(new Error("the agent closed the connection"));
      else this.#socket.write(`${request}\n`);
    }).finally(() => clearTimeout(late));
    const answer = answerOf(line, request);
    if (typeof answer === "string") throw this.#unreachable(new Error(answer));
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(this.#unreachable(error));
  }

  #unreachable(cause: Error): TtcsError {
    const code = (cause as NodeJS.ErrnoException).code;
    const down = code === "ENOENT" || code === "ECONNREFUSED";
    const detail = down
      ? "no agent listens there; start it with: systemctl start ttcs-agent"
      : code === "EACCES"
        ? "permission denied; ask as root or as the agent's user"
        : cause.message;
    return new TtcsError("AGENT_UNREACHABLE", { address: this.#address, detail }, { cause });
  }
}

/** The answer in a line; a text: why it is none. */
export function answerOf<K extends keyof Answers>(line: string, request: K): Answers[K] | string {
  const answer = parseAnswer(line);
  if (typeof answer?.error === "string") return harmless(answer.error);
  if (!isAnswer(answer, request)) return "it does not answer like an agent";
  return answer as unknown as Answers[K];
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** What is said of the solve is absent, or has the weight that the page shows. */
const isNeighbour = (value: unknown): boolean =>
  isObject(value) && (!value.solve || (isObject(value.solve) && isNumber(value.solve.weight)));

const isNumber = (value: unknown): boolean => typeof value === "number";

/** True when there is something in `value` within more than `levels` others. */
const isDeeper = (value: unknown, levels: number): boolean =>
  isObject(value) && (levels === 0 || Object.values(value).some((v) => isDeeper(v, levels - 1)));

/** A line as an object; undefined when it is none. */
function parseAnswer(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && !isDeeper(value, DEPTH_MAX) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True when the answer has what makes out an agent, and what the page cannot be made without. */
function isAnswer(answer: Fields | undefined, request: keyof Answers): boolean {
  if (typeof answer?.state !== "string") return false;
  if (request === "now") return typeof answer.kernel_monotonic_raw_ns === "string";
  const { host, correction_age_s: age, neighbours, alarms, guard } = answer;
  if (typeof host !== "string" || !(age === null || typeof age === "number")) return false;
  if (!Array.isArray(alarms) || !isObject(guard)) return false;
  return Array.isArray(neighbours) && neighbours.every(isNeighbour);
}
