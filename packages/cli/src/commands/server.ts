/** `ttcs server`: the coordinator in this process. */
import { hostname } from "node:os";
import {
  Door,
  FLEET_DOOR,
  openLog,
  partsOf,
  prefixed,
  type StatusServer,
  serveStatus,
} from "@ttcs/agent";
import { Coordinator, ENROLMENT_PATH, openAuthority } from "@ttcs/coordinator";
import { hostPort } from "@ttcs/protocol";
import { fail } from "../fail.ts";
import { armFromEnvironment } from "../failpoints.ts";
import { authorityKeyFile, openStateStore, type StateOptions } from "../identity/state-store.ts";
import { endWithParent, onEnd, surviveBrokenStreams } from "../process-life.ts";

interface ServerOptions extends StateOptions {
  readonly listen: string;
  readonly port: number;
  readonly pairsPerSecond: number;
  readonly domain: readonly string[];
  /** Empty: standard output. */
  readonly logDir: string;
  /** Unix socket that answers "status"; none when absent. */
  readonly statusSocket?: string;
  /** How many hosts of a domain may enrol; absent: any number. */
  readonly seats?: number;
  /** "host" or "host:port" where agents reach this server. */
  readonly advertise?: string;
  readonly serverId?: string;
}

/** Agents of one server: one process serves about a thousand, and some reconnect meanwhile. */
const PROVED_MAX = 4_096;

/** A server that is told to end hands over and closes its store within this (ms). */
const END_MS_MAX = 10_000;

/** Runs until a signal. */
export async function runServer(options: ServerOptions): Promise<void> {
  armFromEnvironment();
  const log = openLog(options.logDir, "ttcs-server.log");
  surviveBrokenStreams((message) => log.warn(message));
  const limits = { provedMax: PROVED_MAX, limits: FLEET_DOOR };
  const door = new Door({ name: "server port", openPath: ENROLMENT_PATH, ...limits }, log);
  const store = openStateStore(options);
  const authority = await openAuthority(store, authorityKeyFile(options), {
    waiting: (reason) => log.warn(`waiting for the database: ${reason}`),
  }).catch((error: Error) => fail(error.message, 1));
  const coordinator = await Coordinator.start(
    {
      address: options.listen,
      port: options.port,
      pairsPerSecond: options.pairsPerSecond,
      meshSeed: 1,
      domains: options.domain,
      store,
      authority,
      seats: options.seats,
      firstTerm: 1n,
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
