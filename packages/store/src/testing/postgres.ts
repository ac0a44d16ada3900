/**
 * A PostgreSQL of one's own in a temporary folder, for tests and laboratories.
 *
 * PostgreSQL refuses to run as root; then it runs as the user that its Debian package makes. It
 * listens on a free port of 127.0.0.1, trusts whoever connects, and does not wait for the disk: what
 * is tested with it are refusals and failures, not the durability of PostgreSQL itself.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where Debian keeps the programs of each version; they are not on PATH. */
const VERSIONS = "/usr/lib/postgresql";
/** The user that Debian's package makes. */
const USER = "postgres";

/** Making and starting a database takes some seconds on a busy machine (ms). */
const PROGRAM_MS_MAX = 40_000;

/** A running database server. */
export interface TestPostgres {
  readonly url: string;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** Every process of it stands still, as when its machine hangs; `resume` lets it go on. */
  pause(): void;
  resume(): void;
  /** Ends it, cutting off whoever is connected; `start` brings it back with what it holds. */
  stop(): void;
  start(): void;
  /** Ends it and removes its folder. */
  remove(): void;
}

/** The folder of PostgreSQL's programs; undefined where it is not installed. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
  return versions.map((v) => join(VERSIONS, v, "bin")).find((b) => existsSync(join(b, "pg_ctl")));
}

/** Why there can be no PostgreSQL here; undefined: there can. */
export const postgresObstacle = (): string | undefined =>
  postgresPrograms() ? undefined : "skipped: needs postgresql";

/**
 * Makes a database and starts it.
 *
 * @param dir its folder, where PostgreSQL's user can reach it: not inside one that only root may
 *   enter, as `mkdtemp` makes them
 */
export async function startPostgres(
  dir = mkdtempSync(join(tmpdir(), "ttcs-postgres-")),
): Promise<TestPostgres> {
  const programs = postgresPrograms();
  if (!programs) throw new Error(postgresObstacle());
  const port = await freePort();
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o777);
  run("/", "test", ["-w", dir]);
  const data = join(dir, "data");
  run(dir, join(programs, "initdb"), ["-D", data, "-U", USER, "-A", "trust", "-N"]);
  const settings = `-p ${port} -k ${dir} -c listen_addresses=127.0.0.1 -c fsync=off`;
  const ctl = (...args: string[]) => run(dir, join(programs, "pg_ctl"), ["-D", data, ...args]);
  const log = join(dir, "log");
  const start = () => ctl("-w", "-l", log, "-o", settings, "start");
  start();
  const pidOf = () => Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]);
  const stop = () => ctl("-m", "immediate", "stop");
  const signal = (name: NodeJS.Signals) => {
    for (const pid of [pidOf(), ...childrenOf(pidOf())]) process.kill(pid, name);
  };
  return {
    url: `postgres://${USER}@127.0.0.1:${port}/postgres`,
    get pid() {
      return pidOf();
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    start,
    stop,
    remove() {
      if (existsSync(join(data, "postmaster.pid"))) stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Runs a program as somebody whom PostgreSQL accepts. */
function run(cwd: string, program: string, args: readonly string[]): void {
  const [command, ...rest] =
    process.getuid?.() === 0
      ? ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--init-groups", program, ...args]
      : [program, ...args];
  // No pipe: the server would keep it open, and this would wait for its end.
  execFileSync(command!, rest, { cwd, stdio: "ignore", timeout: PROGRAM_MS_MAX });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
