/**
 * Server and agents as users of their own: the server with no capability, agents with the one to bind
 * UDP 319 and the one to set the clock, which they do not use here. Needs root, to become somebody else.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { AgentConfigSchema, formatAgentConfig } from "@ttcs/protocol";
import { afterAll, expect, test } from "vitest";

const NOBODY = 65_534;
const PATIENCE_MS = 30_000;
/** capabilities(7): the bits of CAP_NET_BIND_SERVICE and CAP_SYS_TIME. */
const TWO_CAPABILITIES = (1n << 10n) | (1n << 25n);
const program = join(import.meta.dirname, "../packages/cli/bin/ttcs.js");
const children: ChildProcess[] = [];

const asNobody = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
const withTwo = [
  "--inh-caps=-all,+sys_time,+net_bind_service",
  "--ambient-caps=-all,+sys_time,+net_bind_service",
];
const bounding = "--bounding-set=-all,+sys_time,+net_bind_service";

function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const [command, ...rest] = [...asNobody, process.execPath, program, "--version"];
  const { status } = spawnSync(command, rest);
  return status === 0 ? undefined : "needs setpriv, and programs that everybody may read";
}
const why = obstacle();
if (why) console.log(`privileges: skipped: ${why}`);

const dir = mkdtempSync(join(tmpdir(), "ttcs-privileges-"));
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

function own(path: string): string {
  mkdirSync(path, { recursive: true });
  chownSync(path, NOBODY, NOBODY);
  return path;
}

function start(privileges: readonly string[], args: readonly string[]): Promise<{ port?: number }> {
  const [command, ...rest] = [...asNobody, ...privileges, process.execPath, program, ...args];
  const child = spawn(command, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as { port?: number }));
    child.once("exit", (code) => reject(new Error(`${args[0]} ended with status ${code}`)));
  });
}

function capabilitiesOf(child: ChildProcess, name: string): bigint {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return BigInt(`0x${new RegExp(`^${name}:\\s+([0-9a-f]+)`, "m").exec(status)![1]}`);
}

function ask(path: string): Promise<{ neighbours: { host: string; distrust: string }[] }> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on("error", reject);
    createInterface({ input: socket })
      .on("line", (line) => {
        socket.destroy();
        resolve(JSON.parse(line));
      })
      .on("error", () => {});
    socket.write("status\n");
  });
}

test.skipIf(why !== undefined)(
  "a server without capabilities and agents with two measure each other on port 319; keys are their own alone",
  async () => {
    chmodSync(dir, 0o755);
    const stateDir = own(join(dir, "server"));
    const none = ["--inh-caps=-all", "--bounding-set=-all"];
    const where = ["--listen", "127.31.10.9", "--port", "0", "--state-dir", stateDir];
    const { port } = await start(none, ["server", ...where]);
    const [command, ...rest] = [...asNobody, process.execPath, program];
    const made = spawnSync(command, [...rest, "token", "new", "--state-dir", stateDir], {
      encoding: "utf8",
    });
    expect(made.stderr).toBe("");
    for (const host of [1, 2, 3]) {
      const home = own(join(dir, `h${host}`));
      const config = create(AgentConfigSchema, {
        hostId: `h${host}`,
        managementAddress: `127.31.10.${host}`,
        probeAddress: `127.31.10.${host}`,
        logDir: own(join(home, "log")),
        stateDir: own(join(home, "state")),
        coordinatorAddress: "127.31.10.9",
        coordinatorSubscriptionServicePort: port!,
        correctClock: false,
        statusSocket: join(home, "agent.sock"),
      });
      const file = join(home, "agent.cfg");
      await writeFile(file, `${formatAgentConfig(config)}\n${made.stdout}`, { mode: 0o640 });
      chownSync(file, 0, NOBODY);
      await start([...withTwo, bounding], ["agent", "--config", file]);
    }
    const [server, ...agents] = children;
    for (const name of ["CapEff", "CapPrm", "CapBnd"]) {
      expect([name, capabilitiesOf(server, name)]).toEqual([name, 0n]);
      for (const agent of agents) {
        expect([name, capabilitiesOf(agent, name)]).toEqual([name, TWO_CAPABILITIES]);
      }
    }
    let trusted = 0;
    for (let waitedMs = 0; trusted < 2 && waitedMs < PATIENCE_MS; waitedMs += 200) {
      await sleep(200);
      const { neighbours } = await ask(join(dir, "h1", "agent.sock"));
      trusted = neighbours.filter((n) => n.distrust === "").length;
    }
    expect(trusted).toBe(2);
    for (const file of ["h1/state/identity.json", "server/authority.key", "server/server.db"]) {
      const { mode, uid } = statSync(join(dir, file));
      expect([file, (mode & 0o077).toString(8), uid]).toEqual([file, "0", NOBODY]);
    }
  },
  2 * PATIENCE_MS,
);
