/** `ttcs server`: the coordinator in this process. */

import { openLog } from "@ttcs/agent";
import { Coordinator } from "@ttcs/coordinator";
import { fail } from "../fail.ts";
import { endWithParent, onEnd } from "../process-life.ts";

interface ServerOptions {
  readonly listen: string;
  readonly port: number;
  readonly pairsPerSecond: number;
  readonly domain: readonly string[];
  /** Empty: standard output. */
  readonly logDir: string;
}

/** Runs until a signal. */
export async function runServer(options: ServerOptions): Promise<void> {
  const log = openLog(options.logDir, "ttcs-server.log");
  const coordinator = await Coordinator.start(
    {
      address: options.listen,
      port: options.port,
      pairsPerSecond: options.pairsPerSecond,
      meshSeed: 1,
      domains: options.domain,
    },
    log,
  ).catch((error: Error) => fail(error.message, 1));
  log.info(`listening on ${options.listen} port ${coordinator.port}`);
  process.send?.({ port: coordinator.port });
  onEnd(() => coordinator.close());
  endWithParent();
}
