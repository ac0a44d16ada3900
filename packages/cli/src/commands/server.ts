/** `ttcs server`: the coordinator in this process. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  Door,
  FLEET_DOOR,
  openLog,
  partsOf,
  prefixed,
  type StatusServer,
  serveStatus,
} from "@ttcs/agent";
import { Coordinator } from "@ttcs/coordinator";
import { hostPort } from "@ttcs/protocol";
import { openStore, type Store } from "@ttcs/store";
import type { Logger } from "pino";
import { fail, reasonOf } from "../fail.ts";
import { armFromEnvironment } from "../failpoints.ts";
import { endWithParent, onEnd, surviveBrokenStreams } from "../process-life.ts";

interface ServerOptions {
  readonly listen: string;
  readonly port: number;
  readonly pairsPerSecond: number;
  readonly domain: readonly string[];
  /** Empty: standard output. */
  readonly logDir: string;
  /** Unix socket that answers "status"; none when absent. */
  readonly statusSocket?: string;
  /** URL of the database that several servers share; absent: one file in `stateDir`. */
  readonly database?: string;
  readonly stateDir: string;
  /** "host" or "host:port" where agents reach this server. */
  readonly advertise?: string;
  readonly serverId?: string;
}

/** A database that ends with the process: terms then count from the time of the start. */
const IN_MEMORY = "sqlite::memory:";

/** Agents of one server: one process serves about a thousand, and some reconnect meanwhile. */
const PROVED_MAX = 4_096;

/** A server that is told to end hands over and closes its store within this (ms). */
const END_MS_MAX = 10_000;

/** Runs until a signal. */
export async function runServer(options: ServerOptions): Promise<void> {
  armFromEnvironment();
  const log = openLog(options.logDir, "ttcs-server.log");
  surviveBrokenStreams((message) => log.warn(message));
  const port = { name: "server port", provedMax: PROVED_MAX, limits: FLEET_DOOR };
  const door = new Door(port, log);
  const { store, firstTerm } = openStateStore(options, log);
  const coordinator = await Coordinator.start(
    {
      address: options.listen,
      port: options.port,
      pairsPerSecond: options.pairsPerSecond,
      meshSeed: 1,
      domains: options.domain,
      store,
      firstTerm,
      serverId: options.serverId ?? hostname(),
      advertise: advertisedAs(options),
    },
    log,
    door,
  ).catch((error: Error) => fail(error.message, 1));
  const status = await openStatus(options.statusSocket, coordinator, door);
  log.info(`listening on ${options.listen} port ${coordinator.port}`);
  process.send?.({ port: coordinator.port });
  onEnd(async () => {
    // A thread that is inside of a disk that hangs ends with the process only.
    setTimeout(() => {
      log.warn(`not ended within ${END_MS_MAX / 1000} s: the store does not answer; killed`);
      process.kill(process.pid, "SIGKILL");
    }, END_MS_MAX);
    status?.close();
    await coordinator.end();
    await store.close();
  });
  endWithParent();
}

/** The database that was named, else a file in the state folder, else, with a warning, none that lasts. */
function openStateStore(
  { database, stateDir }: ServerOptions,
  log: Logger,
): { store: Store; firstTerm: bigint } {
  if (database !== undefined) {
    try {
      return { store: openStore(database), firstTerm: 1n };
    } catch (error) {
      fail(`--database: ${(error as Error).message}`);
    }
  }
  try {
    mkdirSync(stateDir, { recursive: true });
    accessSync(stateDir, constants.W_OK);
    return { store: openStore(`sqlite:${join(stateDir, "server.db")}`), firstTerm: 1n };
  } catch (error) {
    log.warn(
      `cannot keep state in ${stateDir} (${reasonOf(error)}): it is in memory and ends with this ` +
        "process; give a writable --state-dir",
    );
    // Later than any term of an earlier run, which nobody remembers.
    return { store: openStore(IN_MEMORY), firstTerm: BigInt(Math.floor(Date.now() / 1000)) };
  }
}

/** The address that agents are told: as given, else where the server listens, else its own name. */
function advertisedAs({ advertise, listen }: ServerOptions): (port: number) => string {
  if (advertise !== undefined && /^(\[.*\]|[^:]*):\d+$/.test(advertise)) return () => advertise;
  const isAny = listen === "0.0.0.0" || listen === "::";
  return (port) => hostPort(advertise ?? (isAny ? hostname() : listen), port);
}

/** Serves the server's status: agents, domains, what was turned away, and where the time goes. */
async function openStatus(
  path: string | undefined,
  coordinator: Coordinator,
  door: Door,
): Promise<StatusServer | undefined> {
  if (!path) return undefined;
  const server: StatusServer = await serveStatus(path, {
    status: () => ({
      agents: coordinator.agentCount,
      domains: coordinator.domainNames,
      leads: coordinator.led,
      counters: {
        ...prefixed("server_", coordinator.counters),
        ...prefixed("server_port_", door.counters),
        ...prefixed("status_", server.counters),
      },
      cpu: partsOf({ probing_s: 0, exchange_s: 0, fit_s: 0, solve_s: coordinator.solveS }),
    }),
  }).catch((error: Error) => fail(error.message, 1));
  return server;
}
