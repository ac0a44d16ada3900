/**
 * For tests: an address at which the kernel drops every first packet, as behind a cut.
 *
 * A process listens with the shortest queue there is, is stopped, and its queue is filled up: from then
 * on Linux answers nobody. No packet leaves the loopback interface.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** More than the queue holds. */
const FILLERS = 4;
/** Fillers that are answered are so within less (ms). */
const FILL_MS = 200;

const LISTENER = `
  const { createServer } = require("node:net");
  const server = createServer((socket) => socket.destroy());
  server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
    process.stdout.write(String(server.address().port) + "\\n");
  });
`;

/** See the module head. */
export class BlackHole {
  readonly address: string;
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #fillers: readonly Socket[];

  constructor(child: ChildProcess, port: number, fillers: readonly Socket[]) {
    this.#child = child;
    this.port = port;
    this.address = `127.0.0.1:${port}`;
    this.#fillers = fillers;
  }

  static async open(): Promise<BlackHole> {
    const child = spawn(process.execPath, ["-e", LISTENER], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [told] = await once(child.stdout!, "data");
    const port = Number(String(told));
    child.kill("SIGSTOP");
    const fillers = Array.from({ length: FILLERS }, () => connect(port, "127.0.0.1"));
    for (const filler of fillers) filler.on("error", () => {});
    await sleep(FILL_MS);
    return new BlackHole(child, port, fillers);
  }

  close(): void {
    for (const filler of this.#fillers) filler.destroy();
    this.#child.kill("SIGKILL");
  }
}
