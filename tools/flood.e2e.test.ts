/**
 * Junk on every port of a running laboratory: nothing ends, nothing grows, and nobody loses its lock.
 *
 * TTCS_FLOOD=full sends a million datagrams and a million messages over 1,000 connections at once; the
 * short form a hundredth over 200. Prints what was sent, what was counted and answered, and the memory.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Flooded, Plan, Target } from "./flood.ts";

const FULL = process.env.TTCS_FLOOD === "full";
const COUNT = FULL ? 1_000_000 : 10_000;
const CONNECTIONS = FULL ? 1_000 : 200;
const HOSTS = 4;
const SEED = 20;
const LOCK_PATIENCE_MS = 60_000;
const POLL_MS = 100;
const SETTLE_MS = 4_000;
/** A million bad packets make no more lines than this, in all logs together. */
const LINES_MAX = 100;
const program = join(import.meta.dirname, "../packages/cli/bin/ttcs.js");

interface AgentProcess {
  readonly id: string;
  readonly pid: number;
  readonly status: string;
}
interface Lab {
  readonly server: { readonly pid: number };
  readonly agents: readonly AgentProcess[];
}
interface Status {
  readonly state: string;
  readonly reason: string;
  readonly neighbours: readonly { readonly host: string; readonly distrust: string }[];
  readonly counters: Readonly<Record<string, number>>;
}

let lab: ChildProcess;
const dir = mkdtempSync(join(tmpdir(), "ttcs-flood-"));
const file = join(dir, "lab.json");
const processes = (): Lab => JSON.parse(readFileSync(file, "utf8")) as Lab;

/** Asks one question on a connection of its own. */
function ask<T>(path: string, question: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on("error", reject);
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no answer at ${path}`)));
    createInterface({ input: socket })
      .on("line", (line) => {
        socket.destroy();
        resolve(JSON.parse(line) as T);
      })
      .on("error", () => {});
    socket.write(`${question}\n`);
  });
}

const statusOf = (agent: AgentProcess): Promise<Status> => ask<Status>(agent.status, "status");

/** Where an agent listens, by its own log. */
function portsOf(agent: AgentProcess): { udp: Target; tcp: Target } {
  const log = readFileSync(join(dirname(agent.status), "ttcs-agent.log"), "utf8");
  const started = log
    .split("\n")
    .filter((line) => line.includes("agent started"))
    .map((line) => JSON.parse(line))
    .at(-1);
  return {
    udp: { address: started.probeAddress, port: started.probePort },
    tcp: { address: started.managementAddress, port: started.agentPort },
  };
}

const configOf = (agent: AgentProcess): string =>
  readFileSync(join(dirname(agent.status), "ttcs-agent.cfg"), "utf8");

function serverTarget(agent: AgentProcess): Target {
  const config = configOf(agent);
  const address = /coordinator_address: "([^"]+)"/.exec(config)?.[1] ?? "";
  const port = Number(/coordinator_subscription_service_port: (\d+)/.exec(config)?.[1]);
  return { address, port };
}

function fieldOf(agent: AgentProcess, name: string): string {
  return new RegExp(`${name}: "([^"]+)"`).exec(configOf(agent))?.[1] ?? "";
}

/** Lines in the logs of the server and of all agents. */
function logLines(agents: readonly AgentProcess[]): number {
  const own = agents.map(({ status }) => join(dirname(status), "ttcs-agent.log"));
  const folder = dirname(dirname(agents[0].status));
  const files = [...own, join(folder, "server.out")];
  return files.reduce((sum, path) => sum + readFileSync(path, "utf8").split("\n").length - 1, 0);
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024);
}

/** Datagrams that the kernel dropped because the socket's buffer was full. */
function kernelDrops(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = readFileSync("/proc/net/udp", "utf8").split("\n");
  const line = lines.find((l) => l.trim().split(/\s+/)[1]?.endsWith(`:${hex}`));
  return Number(line?.trim().split(/\s+/).at(-1) ?? 0);
}

/** The flood comes from a process of its own. */
async function runFlood(plan: Plan): Promise<Flooded> {
  const file = join(import.meta.dirname, "flood.ts");
  const child = spawn(process.execPath, [file, JSON.stringify(plan)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await once(child, "close");
  return JSON.parse(text);
}

beforeAll(async () => {
  const args = ["lab", "--hosts", `${HOSTS}`, "--loopback", "--no-slew", "--json", file];
  lab = spawn(process.execPath, [program, ...args], { stdio: "ignore" });
  for (let waitedMs = 0; waitedMs < LOCK_PATIENCE_MS; waitedMs += 500) {
    await sleep(500);
    // The file comes into being when all processes are started.
    const agents = existsSync(file) ? processes().agents : [];
    const states = await Promise.all(agents.map((a) => statusOf(a).catch(() => undefined)));
    if (states.length === HOSTS && states.every((s) => s?.state === "LOCKED")) {
      // What a flood does is told from what a start does.
      await sleep(SETTLE_MS);
      return;
    }
  }
  throw new Error("the laboratory did not lock");
}, LOCK_PATIENCE_MS + 10_000);

afterAll(async () => {
  lab.kill("SIGTERM");
  await new Promise((resolve) => lab.once("exit", resolve));
  rmSync(dir, { recursive: true, force: true });
});

/** Looks at all agents ten times a second until `done`; returns every state other than LOCKED. */
async function watch(agents: readonly AgentProcess[], done: Promise<unknown>) {
  const bad: string[] = [];
  let looks = 0;
  let over = false;
  void done.finally(() => {
    over = true;
  });
  while (!over) {
    const states = await Promise.all(
      agents.map((a) =>
        statusOf(a).catch((e: Error) => ({
          state: `silent: ${e.message}`,
          reason: "",
          neighbours: [],
        })),
      ),
    );
    looks++;
    for (const [i, { state, reason, neighbours }] of states.entries()) {
      if (state === "LOCKED") continue;
      const edges = neighbours.map((n) => `${n.host}: ${n.distrust || "trusted"}`);
      bad.push(`${agents[i].id}: ${state} ${reason} (${edges.join(", ")})`);
    }
    await sleep(POLL_MS);
  }
  return { bad, looks };
}

const sumOf = (counters: Readonly<Record<string, number>>, prefix: string): number =>
  Object.entries(counters)
    .filter(([name]) => name.startsWith(prefix) && name !== `${prefix}connections`)
    .reduce((sum, [, n]) => sum + n, 0);

test("junk on every port is counted and dropped, and everybody stays LOCKED", async () => {
  console.log(`flood seed ${SEED}: ${COUNT} datagrams, ${COUNT} messages, ${CONNECTIONS} at once`);
  const before = processes();
  const [first, second, third] = before.agents;
  const pids = [before.server, ...before.agents].map(({ pid }) => pid);
  const memoryBefore = pids.map(residentMb);
  const ports = portsOf(second);
  const dropsBefore = kernelDrops(ports.udp.port);
  const countersBefore = (await statusOf(second)).counters;
  const linesBefore = logLines(before.agents);
  const startMs = performance.now();
  const flooding = runFlood({
    seed: SEED,
    hosts: HOSTS,
    count: COUNT,
    connections: CONNECTIONS,
    udp: ports.udp,
    peer: ports.tcp,
    coordinator: serverTarget(first),
    status: third.status,
    caFingerprint: fieldOf(first, "ca_fingerprint"),
    enrolmentToken: fieldOf(first, "enrolment_token"),
  });
  const { bad, looks } = await watch(before.agents, flooding);
  const { peer, server, status, datagramsHeard } = await flooding;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  // What came last is counted with the next batch.
  await sleep(1_000);
  const { counters } = await statusOf(second);
  const statusCounters = (await statusOf(third)).counters;
  const lines = logLines(before.agents) - linesBefore;
  const drops = kernelDrops(ports.udp.port) - dropsBefore;
  const udp = ["malformed", "foreignSource", "unknownSenders", "injectedLoss"].map(
    (name) => (counters[name] ?? 0) - (countersBefore[name] ?? 0),
  );
  console.log(`sent in ${seconds} s: ${JSON.stringify({ peer, server, status })}`);
  console.log(
    `agent UDP: malformed, foreign, unknown, lost ${udp.join(", ")}; kernel dropped ${drops}`,
  );
  console.log(`agent port: ${JSON.stringify(counters)}`);
  console.log(`status: ${JSON.stringify(statusCounters)}`);
  for (const [name, { strangersSaid, strangersHeard }] of Object.entries({ peer, server })) {
    const factor = (strangersHeard / strangersSaid).toFixed(2);
    console.log(
      `${name} port: strangers said ${strangersSaid} bytes, heard ${strangersHeard}: ${factor}`,
    );
  }
  console.log(`datagrams answered ${datagramsHeard}; lines in all logs ${lines}`);
  console.log(`memory before ${memoryBefore} MB, after ${pids.map(residentMb)} MB; ${looks} looks`);
  expect(bad).toEqual([]);
  expect(looks).toBeGreaterThan(5);
  expect(datagramsHeard).toBe(0);
  for (const { strangersSaid, strangersHeard } of [peer, server]) {
    expect(strangersHeard).toBeLessThanOrEqual(strangersSaid);
  }
  expect(lines).toBeLessThanOrEqual(LINES_MAX);
  const after = processes();
  expect([after.server, ...after.agents].map(({ pid }) => pid)).toEqual(pids);
  // The laboratory's links lose one in a thousand of those that could be probes.
  expect(udp.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(COUNT - drops);
  expect(sumOf(counters, "agent_port_")).toBeGreaterThanOrEqual(peer.connections);
  expect(sumOf(statusCounters, "status_")).toBeGreaterThan(0);
}, 1_200_000);
