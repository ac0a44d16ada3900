/** For tests: one server and a few agents with virtual clocks, all real processes on loopback. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentStatus } from "@ttcs/agent";
import { hostPort } from "@ttcs/protocol";
import { openStore } from "@ttcs/store";
import { readKernelClocks } from "@ttcs/timestamper";
import { AgentClient } from "../agentq/client.ts";
import { type Enrolment, newEnrolment } from "../identity/enrolment.ts";
import { loopbackNetwork } from "../lab/network.ts";
import { type LabHost, planHosts, writeConfig } from "../lab/plan.ts";

const POLL_MS = 50;
const COMMAND_MS = 30_000;
const program = join(import.meta.dirname, "../../bin/ttcs.js");

/** See the module head. */
export class SmallFleet {
  readonly dir: string;
  readonly stateDir: string;
  readonly enrolment: Enrolment;
  readonly hosts: LabHost[];
  readonly children = new Map<string, ChildProcess>();
  readonly #network = loopbackNetwork(false);
  /** "host:port" of the server. */
  address = "";

  private constructor(dir: string, enrolment: Enrolment, hosts: number, seed: number) {
    this.dir = dir;
    this.stateDir = join(dir, "server");
    this.enrolment = enrolment;
    const options = { hosts, seed, profile: "quiet", slew: false, recordDir: undefined } as const;
    this.hosts = planHosts(options, dir, readKernelClocks(), this.#network);
  }

  /** Plans so many hosts and makes a token; nothing is started. */
  static async plan(hosts: number, seed: number): Promise<SmallFleet> {
    const dir = mkdtempSync(join(tmpdir(), "ttcs-fleet-"));
    const store = openStore(`sqlite:${join(dir, "server", "server.db")}`);
    const keyFile = join(dir, "server", "authority.key");
    const enrolment = await newEnrolment(store, keyFile, "default");
    await store.close();
    return new SmallFleet(dir, enrolment, hosts, seed);
  }

  async startServer(...more: string[]): Promise<void> {
    const where = ["--listen", "127.0.0.1", "--port", "0", "--state-dir", this.stateDir];
    const child = this.start("server", ["server", ...where, ...more]);
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    this.address = hostPort("127.0.0.1", port);
  }

  /** Writes a host's configuration and starts its agent. */
  startAgent(host: LabHost, environment: NodeJS.ProcessEnv = {}): ChildProcess {
    this.writeConfig(host);
    return this.start(host.id, ["agent", "--config", host.configFile], environment);
  }

  writeConfig(host: LabHost): void {
    const [, port] = this.address.split(":");
    const servers = [{ address: "127.0.0.1", port: Number(port) }];
    writeConfig(host, { servers, ports: this.#network.ports, enrolment: this.enrolment });
  }

  /** Starts `ttcs ...args`; what it says goes to NAME.out. */
  start(name: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    const out = openSync(join(this.dir, `${name}.out`), "a");
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ["ignore", out, out, "ipc"],
      env: { ...process.env, ...environment },
    });
    closeSync(out);
    this.children.set(name, child);
    return child;
  }

  /** Runs `ttcs ...args` on the server's state, to its end. */
  command(...args: string[]) {
    const all = [program, ...args, "--state-dir", this.stateDir];
    return spawnSync(process.execPath, all, { encoding: "utf8", timeout: COMMAND_MS });
  }

  /** What an agent says of itself; undefined when it does not answer. */
  async statusOf(host: LabHost): Promise<AgentStatus | undefined> {
    const client = new AgentClient(host.status);
    try {
      return await client.ask("status");
    } catch {
      return undefined;
    } finally {
      client.close();
    }
  }

  async areLocked(hosts: readonly LabHost[]): Promise<boolean> {
    const states = await Promise.all(hosts.map((h) => this.statusOf(h)));
    return states.every((s) => s?.state === "LOCKED");
  }

  /** Waits; returns how long it took (s). */
  async until(what: string, seconds: number, done: () => Promise<boolean>): Promise<number> {
    const fromMs = performance.now();
    while (!(await done())) {
      if (performance.now() - fromMs > seconds * 1e3) throw await this.#lateness(what, seconds);
      await sleep(POLL_MS);
    }
    return (performance.now() - fromMs) / 1e3;
  }

  async #lateness(what: string, seconds: number): Promise<Error> {
    const states = await Promise.all(this.hosts.map((h) => this.statusOf(h)));
    const told = states.map((s, i) => `${this.hosts[i].id} ${s?.state} ${s?.reason}`);
    return new Error(`${what}: not within ${seconds} s\n${told.join("\n")}`);
  }

  /** Lines of an agent's log. */
  logOf(host: LabHost): string[] {
    return readFileSync(join(host.clock.stateDir, "ttcs-agent.log"), "utf8").trim().split("\n");
  }

  close(): void {
    for (const child of this.children.values()) child.kill("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }
}
