/**
 * The whole path over IPv6, with real processes and sockets on ::1: configuration, probes, exchange,
 * coordinator and status; and a host of the other family beside them, which can be told and counted.
 */
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { AgentConfigSchema, formatAgentConfig } from "@ttcs/protocol";
import { afterAll, expect, test } from "vitest";

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);
if (!hasIpv6) console.log("skipped: needs ::1");

const PATIENCE_MS = 30_000;
const program = join(import.meta.dirname, "../packages/cli/bin/ttcs.js");
const dir = mkdtempSync(join(tmpdir(), "ttcs-ipv6-"));
const children: ChildProcess[] = [];

interface Status {
  readonly neighbours: readonly { readonly host: string; readonly distrust: string }[];
  readonly counters: Readonly<Record<string, number>>;
}

afterAll(async () => {
  await Promise.all(
    children.map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once("exit", () => resolve());
          child.kill();
        }),
    ),
  );
  rmSync(dir, { recursive: true });
});

function start(args: readonly string[]): Promise<{ port: number }> {
  const child = fork(program, [...args], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as { port: number }));
    child.once("exit", (code) => reject(new Error(`${args[0]} ended with status ${code}`)));
  });
}

/** The lines of a configuration that a host enrols with. */
function newToken(stateDir: string): string {
  const args = [program, "token", "new", "--state-dir", stateDir];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

async function startAgent(
  hostId: string,
  address: string,
  port: number,
  enrolment: string,
): Promise<void> {
  const home = join(dir, hostId);
  mkdirSync(home);
  const config = create(AgentConfigSchema, {
    hostId,
    managementAddress: address,
    probeAddress: address,
    logDir: home,
    coordinatorAddress: "::1",
    coordinatorSubscriptionServicePort: port,
    clockQuality: 1,
    correctClock: false,
    probePort: 0,
    agentPort: 0,
    statusSocket: join(home, "agent.sock"),
    stateDir: join(home, "state"),
  });
  await writeFile(join(home, "agent.cfg"), `${formatAgentConfig(config)}\n${enrolment}`);
  await start(["agent", "--config", join(home, "agent.cfg")]);
}

/** The answer of a status socket. */
function ask(path: string): Promise<unknown> {
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

async function statusWhen(hostId: string, done: (status: Status) => boolean): Promise<Status> {
  const path = join(dir, hostId, "agent.sock");
  let status: Status | undefined;
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += 200) {
    await sleep(200);
    if (existsSync(path)) status = (await ask(path)) as Status;
    if (status && done(status)) return status;
  }
  throw new Error(`${hostId} did not get there: ${JSON.stringify(status)}`);
}

const edgeTo = (status: Status, host: string) => status.neighbours.find((n) => n.host === host);

test.runIf(hasIpv6)(
  "two hosts and a server on ::1 measure each other, and name the one of the other family",
  async () => {
    const serverSocket = join(dir, "server.sock");
    const args = ["--listen", "::1", "--port", "0", "--log-dir", dir, "--state-dir", dir];
    const { port } = await start(["server", ...args, "--status-socket", serverSocket]);
    const enrolment = newToken(dir);
    await startAgent("six1", "::1", port, enrolment);
    await startAgent("six2", "::1", port, enrolment);
    await startAgent("four", "127.0.0.1", port, enrolment);
    const status = await statusWhen(
      "six1",
      (s) => edgeTo(s, "six2")?.distrust === "" && (s.counters.sendErrors ?? 0) > 0,
    );
    expect(edgeTo(status, "four")?.distrust).not.toBe("");
    expect(status.counters.received).toBeGreaterThan(100);
    await statusWhen("six2", (s) => edgeTo(s, "six1") !== undefined);
    const log = readFileSync(join(dir, "six1", "ttcs-agent.log"), "utf8").split("\n");
    const named = log.filter((line) => line.includes("cannot probe the neighbour at 127.0.0.1"));
    expect(named.length).toBe(1);
    const server = (await ask(serverSocket)) as { agents: number; domains: string[] };
    expect(server).toMatchObject({ agents: 3, domains: ["default"] });
  },
  2 * PATIENCE_MS,
);
