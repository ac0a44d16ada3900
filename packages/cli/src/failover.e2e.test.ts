/**
 * Two servers on one PostgreSQL and four agents, all real processes: what happens when the leader is
 * killed, is stopped and goes on, loses its database, or is ended.
 *
 * The machine that runs this may be busy, so times are printed, and limited only where a limit is
 * promised.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentStatus } from "@ttcs/agent";
import { openStore, type Store } from "@ttcs/store";
import { postgresObstacle, startPostgres, type TestPostgres } from "@ttcs/store/testing";
import { readKernelClocks } from "@ttcs/timestamper";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentClient } from "./agentq/client.ts";
import { newEnrolment } from "./identity/enrolment.ts";
import { loopbackNetwork } from "./lab/network.ts";
import { type LabHost, planHosts, writeConfig } from "./lab/plan.ts";

const HOSTS = 4;
const POLL_MS = 50;
/** SIGSTOP for so long (s); the long form of this suite sets it to 30. */
const STOPPED_S = Number(process.env.TTCS_FAILOVER_STOPPED_S ?? 8);
const DATABASE_GONE_S = Number(process.env.TTCS_FAILOVER_GONE_S ?? 6);

const program = join(import.meta.dirname, "../bin/ttcs.js");
const obstacle = postgresObstacle();
if (obstacle) console.log(`failover: ${obstacle}`);

interface Server {
  readonly id: string;
  readonly port: number;
  child: ChildProcess;
}

/** Every look at every agent. */
interface Look {
  readonly atMs: number;
  readonly host: string;
  readonly state: string;
  readonly reason: string;
  readonly term: bigint;
  readonly ageS: number;
}

describe.skipIf(obstacle !== undefined)("two servers and four agents", () => {
  const dir = mkdtempSync(join(tmpdir(), "ttcs-failover-"));
  const children: ChildProcess[] = [];
  const looks: Look[] = [];
  const keyFile = join(dir, "authority.key");
  let postgres: TestPostgres;
  let store: Store;
  let servers: Server[] = [];
  let hosts: LabHost[] = [];
  let isWatching = true;

  const start = (name: string, args: readonly string[]): ChildProcess => {
    const out = openSync(join(dir, `${name}.out`), "a");
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ["ignore", out, out, "ipc"],
    });
    closeSync(out);
    children.push(child);
    return child;
  };

  const startServer = (id: string, port: number): ChildProcess =>
    start(id, [
      ...["server", "--listen", "127.0.0.1", "--port", `${port}`, "--server-id", id],
      ...["--database", postgres.url, "--authority-key", keyFile],
    ]);

  const row = async () => {
    const result = await store.leases.read("default");
    return result.ok ? result.value : undefined;
  };
  const leader = async (): Promise<Server> => {
    const holder = (await row())!.holder.split("/")[0];
    return servers.find((s) => s.id === holder)!;
  };

  const since = (ms: number) => looks.filter((l) => l.atMs >= ms);
  const isCalm = () => {
    const recent = since(performance.now() - 500);
    return recent.length >= HOSTS && recent.every((l) => l.state === "LOCKED" && l.ageS < 1);
  };
  /** Time at which every agent had heard of a term (ms from `fromMs`). */
  const heardMs = (term: bigint, fromMs: number): number =>
    Math.max(
      ...hosts.map((h) => looks.find((l) => l.host === h.id && l.term >= term)?.atMs ?? Infinity),
    ) - fromMs;
  const notLocked = (fromMs: number) =>
    since(fromMs)
      .filter((l) => l.state !== "LOCKED")
      .map((l) => `${l.host} ${l.state} ${l.reason}`);

  /** Nobody was without corrections for as long as LOCKED allows (2 s). */
  const expectHeard = (fromMs: number, what: string) => {
    const all = since(fromMs);
    const oldestS = Math.max(...all.map((l) => l.ageS));
    const others = new Set(notLocked(fromMs));
    console.log(
      `${what}: oldest correction ${oldestS.toFixed(2)} s; of ${all.length} looks not LOCKED`,
      [...others],
    );
    expect(oldestS).toBeLessThan(2);
  };

  async function until(condition: () => boolean | Promise<boolean>, seconds: number, what: string) {
    const fromMs = performance.now();
    while (!(await condition())) {
      if (performance.now() - fromMs > seconds * 1_000) {
        const out = servers.map((s) =>
          readFileSync(join(dir, `${s.id}.out`), "utf8").slice(-3_000),
        );
        throw new Error(`${what}: not within ${seconds} s\n${out.join("\n---\n")}`);
      }
      await sleep(POLL_MS);
    }
  }

  async function watch(host: LabHost): Promise<void> {
    let client: AgentClient | undefined;
    while (isWatching) {
      try {
        client ??= new AgentClient(host.status);
        const status: AgentStatus = await client.ask("status");
        looks.push({
          atMs: performance.now(),
          host: host.id,
          state: status.state,
          reason: status.reason,
          term: BigInt(status.term),
          ageS: status.correction_age_s ?? Number.POSITIVE_INFINITY,
        });
      } catch {
        client?.close();
        client = undefined;
      }
      await sleep(POLL_MS);
    }
    client?.close();
  }

  beforeAll(async () => {
    postgres = await startPostgres();
    store = openStore(postgres.url);
    const enrolment = await newEnrolment(store, keyFile, "default");
    const ports = [await freePort(), await freePort()];
    servers = ports.map((port, i) => ({
      id: `server${i}`,
      port,
      child: startServer(`server${i}`, port),
    }));
    await until(async () => (await row()) !== undefined, 20, "a leader");
    const network = loopbackNetwork(false);
    const options = {
      hosts: HOSTS,
      seed: 5,
      profile: "quiet",
      slew: false,
      recordDir: undefined,
    } as const;
    hosts = planHosts(options, dir, readKernelClocks(), network);
    for (const host of hosts) {
      const servers = ports.map((port) => ({ address: "127.0.0.1", port }));
      writeConfig(host, { servers, ports: network.ports, enrolment });
      start(host.id, ["agent", "--config", host.configFile]);
      void watch(host);
    }
    await until(isCalm, 60, "all LOCKED");
  }, 120_000);

  afterAll(async () => {
    isWatching = false;
    for (const child of children) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
    await store?.close();
    postgres?.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  test("every server is ended in turn and started again: nobody loses its lock", async () => {
    const fromMs = performance.now();
    for (let i = 0; i < 2; i++) {
      const before = (await row())!;
      const server = await leader();
      const atMs = performance.now();
      server.child.kill("SIGTERM");
      await until(async () => (await row())!.term > before.term, 5, "another leader");
      await until(() => heardMs(before.term + 1n, atMs) < Infinity, 5, "corrections of it");
      console.log(
        `handed over by ${server.id}: all obey the other after ${heardMs(before.term + 1n, atMs).toFixed(0)} ms`,
      );
      await until(() => server.child.exitCode !== null, 5, "the end of the server");
      server.child = startServer(server.id, server.port);
      // As in any rolling restart: the next one is ended when this one is up and known to the others.
      await once(server.child, "message");
      await sleep(2_500);
    }
    expect(notLocked(fromMs)).toEqual([]);
  });

  test("the leader is killed: the other leads within 5 s", async () => {
    await until(isCalm, 30, "all LOCKED");
    const { term } = (await row())!;
    const server = await leader();
    const atMs = performance.now();
    server.child.kill("SIGKILL");
    await until(() => heardMs(term + 1n, atMs) < Infinity, 20, "corrections of the other");
    const ms = heardMs(term + 1n, atMs);
    console.log(`killed: all obey the other after ${ms.toFixed(0)} ms (limit: 5000 to lead)`);
    expect((await row())!.holder.split("/")[0]).not.toBe(server.id);
    expect(ms).toBeLessThan(6_000);
    server.child = startServer(server.id, server.port);
    await until(isCalm, 30, "all LOCKED");
  });

  test("the leader is stopped and goes on: nothing of its term is obeyed or written", async () => {
    const { term } = (await row())!;
    const server = await leader();
    const outBefore = readFileSync(join(dir, `${server.id}.out`), "utf8").length;
    const atMs = performance.now();
    server.child.kill("SIGSTOP");
    await until(() => heardMs(term + 1n, atMs) < Infinity, 20, "corrections of the other");
    console.log(`stopped: all obey the other after ${heardMs(term + 1n, atMs).toFixed(0)} ms`);
    await sleep(Math.max(0, STOPPED_S * 1_000 - (performance.now() - atMs)));
    server.child.kill("SIGCONT");
    const contMs = performance.now();
    await sleep(3_000);
    const lower = since(contMs).filter((l) => l.term <= term);
    expect(lower).toEqual([]);
    expect((await row())!.term).toBe(term + 1n);
    const memory = await store.memories.read("default");
    expect(memory.ok && memory.value?.term).toBe(term + 1n);
    const said = readFileSync(join(dir, `${server.id}.out`), "utf8").slice(outBefore);
    expect(said).toContain("leads no more");
    expect((await leader()).id).not.toBe(server.id);
    await until(isCalm, 30, "all LOCKED");
  });

  test("the database hangs: the leader goes on", async () => {
    const before = (await row())!;
    const fromMs = performance.now();
    postgres.pause();
    await sleep(DATABASE_GONE_S * 1_000);
    postgres.resume();
    await sleep(3_000);
    expectHeard(fromMs, `database hung for ${DATABASE_GONE_S} s`);
    expect(await row()).toMatchObject({ holder: before.holder, term: before.term });
  });

  test("the database is stopped: the leader goes on, and goes on when it is back", async () => {
    const before = (await row())!;
    const fromMs = performance.now();
    postgres.stop();
    await sleep(DATABASE_GONE_S * 1_000);
    postgres.start();
    await sleep(4_000);
    expectHeard(fromMs, `database gone for ${DATABASE_GONE_S} s`);
    expect(await row()).toMatchObject({ holder: before.holder, term: before.term });
  });
});

describe("one server with a state folder of its own", () => {
  const dir = mkdtempSync(join(tmpdir(), "ttcs-embedded-"));
  let child: ChildProcess | undefined;
  let output = "";

  const startWith = (stateDir: string): void => {
    output = "";
    const args = ["server", "--listen", "127.0.0.1", "--port", "0", "--state-dir", stateDir];
    child = spawn(process.execPath, [program, ...args]);
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (d) => (output += d));
  };
  const said = async (text: string): Promise<void> => {
    for (const fromMs = performance.now(); !output.includes(text); await sleep(20)) {
      if (performance.now() - fromMs > 20_000) throw new Error(`no "${text}" in\n${output}`);
    }
  };
  const ended = async (signal: NodeJS.Signals): Promise<void> => {
    child!.kill(signal);
    while (child!.exitCode === null && child!.signalCode === null) await sleep(20);
  };
  afterAll(() => {
    child?.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  });

  test("killed or ended, it leads again in a later term without waiting for its own lease", async () => {
    for (const [term, signal] of [
      [1, "SIGKILL"],
      [2, "SIGTERM"],
      [3, "SIGKILL"],
    ] as const) {
      const fromMs = performance.now();
      startWith(join(dir, "state"));
      await said(`this server leads, term ${term}`);
      console.log(
        `leads in term ${term} ${(performance.now() - fromMs).toFixed(0)} ms after its start`,
      );
      await ended(signal);
    }
  });

  test("a state folder that cannot be written is named, and nothing begins that would be lost", async () => {
    startWith("/dev/null/state");
    await said("cannot keep state in /dev/null/state");
    await said("give a writable --state-dir");
    while (child!.exitCode === null) await sleep(20);
    expect(child!.exitCode).toBe(1);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
