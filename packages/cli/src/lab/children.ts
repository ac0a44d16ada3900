/** The processes of a laboratory: started, found again, and ended whatever happens. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A process that does not end on SIGTERM within this long is killed (ms). */
const END_MS = 2_000;
/** A server that is not ready within this long has failed (ms). */
const READY_MS = 20_000;

/** From the bundle in dist, or from the source in src/lab. */
const up = import.meta.url.endsWith(".ts") ? "../../" : "../";
const program = fileURLToPath(new URL(`${up}bin/ttcs.js`, import.meta.url));
/** The program that asks an agent, as users run it. */
export const agentqProgram = fileURLToPath(new URL(`${up}bin/ttcs-agentq.js`, import.meta.url));

/**
 * An agent allocates little: a small young generation, one helper thread, code that favours size and
 * one arena of the C library's allocator save some 17 MB each.
 */
const LEAN = ["--max-semi-space-size=1", "--v8-pool-size=1", "--optimize-for-size"];
const LEAN_ENVIRONMENT = { MALLOC_ARENA_MAX: "1" };

/** See the module head. */
export class Children {
  readonly #dir: string;
  readonly #all = new Set<ChildProcess>();

  /** @param dir where the output of each process goes, as NAME.out */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Starts `ttcs ...args`, in a network namespace if one is named. The channel makes it end when this
   * process dies.
   */
  start(
    name: string,
    args: readonly string[],
    namespace: string | undefined,
    environment: NodeJS.ProcessEnv = {},
  ): ChildProcess {
    const node = [process.execPath, ...LEAN, program, ...args];
    // nsenter becomes the program: one process, which keeps the channel and the id.
    const enter = namespace ? ["nsenter", `--net=/run/netns/${namespace}`] : [];
    const [command, ...rest] = [...enter, ...node];
    const out = openSync(join(this.#dir, `${name}.out`), "a");
    const child = spawn(command, rest, {
      stdio: ["ignore", out, out, "ipc"],
      env: { ...process.env, ...LEAN_ENVIRONMENT, ...environment },
      // A process group of its own: Ctrl-C goes to the laboratory, which then takes a last look.
      detached: true,
    });
    closeSync(out);
    this.#all.add(child);
    child.on("error", () => this.#all.delete(child));
    child.on("exit", () => this.#all.delete(child));
    return child;
  }

  /** True while the child of this process id runs. */
  isAlive(pid: number | undefined): boolean {
    return pid !== undefined && [...this.#all].some((child) => child.pid === pid);
  }

  /** Starts a server and waits until it has a port. */
  async startServer(
    name: string,
    args: readonly string[],
    namespace: string | undefined,
  ): Promise<{ child: ChildProcess; port: number }> {
    const child = this.start(name, ["server", ...args], namespace);
    const port = await new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${name} is not ready`)), READY_MS);
      child.once("message", (message: { port: number }) => {
        clearTimeout(late);
        resolve(message.port);
      });
      child.once("error", reject);
      child.once("exit", (code) =>
        reject(new Error(`${name} ended with status ${code}: ${this.#lastWord(name)}`)),
      );
    });
    return { child, port };
  }

  /** The last line that a process has written. */
  #lastWord(name: string): string {
    return readFileSync(join(this.#dir, `${name}.out`), "utf8")
      .trim()
      .split("\n")
      .at(-1)!;
  }

  /** Asks all to send no more probes, so that every counter comes to rest. */
  quiet(): void {
    for (const child of this.#all) {
      // One that is ending has no channel any more.
      if (child.connected) child.send({ quiet: true }, () => {});
    }
  }

  /** Ends all, politely first. */
  async end(): Promise<void> {
    const ends = [...this.#all].map(
      (child) => new Promise<void>((resolve) => child.once("exit", () => resolve())),
    );
    for (const child of this.#all) child.kill("SIGTERM");
    // One that was paused hears it only when it goes on.
    for (const child of this.#all) child.kill("SIGCONT");
    const force = setTimeout(() => this.kill(), END_MS);
    await Promise.all(ends);
    clearTimeout(force);
  }

  /** The last resort: an exit that nobody planned takes the children along. */
  kill(): void {
    for (const child of this.#all) child.kill("SIGKILL");
  }
}
