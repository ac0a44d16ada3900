/** The server of the benchmark: a real process, started, asked, killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openStore } from "@ttcs/store";
import { type Enrolment, newEnrolment } from "../identity/enrolment.ts";
import { processCost } from "../lab/processes.ts";
import type { ServerStatus } from "../lab/server-status.ts";

/** A server that is not ready within this long has failed (ms). */
const READY_MS = 20_000;
const ANSWER_MS = 5_000;

/** What a process has used so far. */
export interface Used {
  readonly cpuS: number;
  readonly memoryMb: number;
}

/** See the module head. */
export class ServerProcess {
  readonly #program: string;
  readonly #seats: readonly string[];
  readonly #dir = mkdtempSync(join(tmpdir(), `ttcs-streams-${process.pid}-`));
  #child: ChildProcess | undefined;
  readonly #lines: string[] = [];
  #port = 0;
  #enrolment: Enrolment | undefined;
  #closed = false;

  /**
   * @param program path of `ttcs.js`
   * @param seats of the domain; absent: without limit
   */
  constructor(program: string, seats?: number) {
    this.#program = program;
    this.#seats = seats === undefined ? [] : ["--seats", `${seats}`];
  }

  get port(): number {
    return this.#port;
  }

  /** What its log says, as far as it says `text`. */
  linesWith(text: string): string[] {
    return this.#lines.filter((line) => line.includes(text));
  }

  /** What hosts enrol with; there is one once it has been started. */
  get enrolment(): Enrolment {
    return this.#enrolment!;
  }

  get #stateDir(): string {
    return join(this.#dir, "state");
  }

  get #socket(): string {
    return join(this.#dir, "server.sock");
  }

  /** Starts it, on the port of the last start if there was one. */
  async start(): Promise<void> {
    if (!this.#enrolment) await this.#prepare();
    if (this.#closed) throw new Error("the benchmark has ended");
    const args = ["server", "--listen", "127.0.0.1", "--port", `${this.#port}`];
    const state = ["--state-dir", this.#stateDir];
    const all = [...args, "--status-socket", this.#socket, ...state, ...this.#seats];
    const node = [...process.execArgv.filter((a) => a.startsWith("--cpu-prof")), this.#program];
    const child = spawn(process.execPath, [...node, ...all], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      // Ctrl-C goes to the benchmark, which ends the server.
      detached: true,
    });
    this.#child = child;
    createInterface({ input: child.stdout! }).on("line", (line) => this.#lines.push(line));
    this.#port = await new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("the server is not ready")), READY_MS);
      const settle = () => clearTimeout(late);
      child.once("message", (message: { port: number }) => {
        settle();
        resolve(message.port);
      });
      child.once("exit", (code, signal) => {
        settle();
        reject(new Error(`the server ended with ${signal ?? `status ${code}`}`));
      });
    });
  }

  async #prepare(): Promise<void> {
    const store = openStore(`sqlite:${join(this.#stateDir, "server.db")}`);
    const keyFile = join(this.#stateDir, "authority.key");
    this.#enrolment = await newEnrolment(store, keyFile, "default");
    await store.close();
  }

  /** Kills it as a power cut would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end("SIGTERM");
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** What it has used; undefined when it is gone. */
  used(): Used | undefined {
    const cost = this.#child?.pid ? processCost("server", this.#child.pid) : undefined;
    return cost && { cpuS: cost.cpu_seconds, memoryMb: cost.memory_mb };
  }

  /** What it says of itself; undefined when it does not answer. */
  status(): Promise<ServerStatus | undefined> {
    return new Promise((resolve) => {
      const socket = connect(this.#socket);
      const done = (status: ServerStatus | undefined) => {
        clearTimeout(late);
        socket.destroy();
        resolve(status);
      };
      const late = setTimeout(() => done(undefined), ANSWER_MS);
      socket.on("error", () => done(undefined));
      createInterface({ input: socket })
        .on("line", (line) => done(JSON.parse(line)))
        .on("error", () => {});
      socket.write("status\n");
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
}
