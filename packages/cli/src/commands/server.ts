/** `ttcs server`: the coordinator in this process. */
import { Door, openLog, partsOf, prefixed, type StatusServer, serveStatus } from "@ttcs/agent";
import { Coordinator } from "@ttcs/coordinator";
import { fail } from "../fail.ts";
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
}

/** Agents of one server: one process serves about a thousand, and some reconnect meanwhile. */
const PROVED_MAX = 4_096;

/** Runs until a signal. */
export async function runServer(options: ServerOptions): Promise<void> {
  armFromEnvironment();
  const log = openLog(options.logDir, "ttcs-server.log");
  surviveBrokenStreams((message) => log.warn(message));
  const door = new Door({ name: "server port", provedMax: PROVED_MAX }, log);
  const coordinator = await Coordinator.start(
    {
      address: options.listen,
      port: options.port,
      pairsPerSecond: options.pairsPerSecond,
      meshSeed: 1,
      domains: options.domain,
    },
    log,
    door,
  ).catch((error: Error) => fail(error.message, 1));
  const status = await openStatus(options.statusSocket, coordinator, door);
  log.info(`listening on ${options.listen} port ${coordinator.port}`);
  process.send?.({ port: coordinator.port });
  onEnd(() => {
    status?.close();
    coordinator.close();
  });
  endWithParent();
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
