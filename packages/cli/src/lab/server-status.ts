/** Asks a server of a laboratory how it stands, on its status socket. */
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { CpuSeconds } from "@ttcs/agent";

/** A server that does not answer within this long is left out (ms). */
const TIMEOUT_MS = 1_000;

/** What the server's status socket answers, as far as it is used here. */
export interface ServerStatus {
  readonly agents: number;
  /** Terms of the domains that it leads. */
  readonly leads?: Readonly<Record<string, string>>;
  readonly counters: Readonly<Record<string, number>>;
  readonly cpu: CpuSeconds;
}

/** Asks the server for its status; undefined when it does not answer. */
export function askServer(path: string): Promise<ServerStatus | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (status: ServerStatus | undefined) => {
      clearTimeout(late);
      socket.destroy();
      resolve(status);
    };
    const late = setTimeout(() => done(undefined), TIMEOUT_MS);
    socket.on("error", () => done(undefined));
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => done(JSON.parse(line)));
    // readline repeats the socket's errors, which are dealt with above.
    lines.on("error", () => {});
    socket.write("status\n");
  });
}

/** Name of the server that leads the one domain of the laboratory; the first one when none says so. */
export async function leadingServer(
  ids: readonly string[],
  socketOf: (id: string) => string,
): Promise<string> {
  const statuses = await Promise.all(ids.map((id) => askServer(socketOf(id))));
  const leader = statuses.findIndex((status) => Object.keys(status?.leads ?? {}).length > 0);
  return ids[Math.max(0, leader)];
}
