/**
 * Servers and agents of a laboratory: who runs as which process, and who is started again when he
 * ends. A service manager starts a dead agent again, and so does this, unless the agent is held down.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { hostPort } from "@ttcs/protocol";
import type { Enrolment } from "../identity/enrolment.ts";
import type { Children } from "./children.ts";
import { type LabNetwork, serverId } from "./network.ts";
import { type LabHost, writeConfig } from "./plan.ts";

/** An agent that has died is started again after this long (ms). */
const RESTART_MS = 1_000;
/** One that was asked to end is waited for this often, this long each time (ms), before it is killed. */
const END_TRIES = 60;
const END_TRY_MS = 50;

/** What the servers of a fleet are started with. */
export interface FleetOptions {
  readonly servers: number;
  /** Arguments of `ttcs server` for server number `index`, beside its address and port. */
  readonly serverArguments: (index: number, address: string) => readonly string[];
}

/** See the module head. */
export class Fleet {
  readonly #children: Children;
  readonly #network: LabNetwork;
  readonly #hosts: readonly LabHost[];
  readonly #options: FleetOptions;
  readonly #pids = new Map<string, number>();
  readonly #serverPorts: number[] = [];
  /** Those that are not started again when they end. */
  readonly #held = new Set<string>();
  /** By which signal an agent's last life was ended. */
  readonly #endedBy = new Map<string, NodeJS.Signals | undefined>();
  #ending = false;
  #onChange: () => void = () => {};

  constructor(
    children: Children,
    network: LabNetwork,
    hosts: readonly LabHost[],
    options: FleetOptions,
  ) {
    this.#children = children;
    this.#network = network;
    this.#hosts = hosts;
    this.#options = options;
  }

  /** Process ids by name; those of the last lives of the dead among them. */
  get pids(): ReadonlyMap<string, number> {
    return this.#pids;
  }

  get serverIds(): string[] {
    return Array.from({ length: this.#options.servers }, (_, index) => serverId(index));
  }

  /** Called whenever an agent has been started again. */
  onChange(tell: () => void): void {
    this.#onChange = tell;
  }

  /** Notes a process that was started elsewhere. */
  note(id: string, pid: number | undefined): void {
    if (pid !== undefined) this.#pids.set(id, pid);
  }

  /** Starts all servers and tells the agents where they are. */
  async startServers(enrolment: Enrolment): Promise<void> {
    for (const id of this.serverIds) await this.#startServer(id);
    const { ports } = this.#network;
    const servers = this.#serverPorts.map((port, index) => ({
      address: this.#network.serverAddress(index),
      port,
    }));
    for (const host of this.#hosts) writeConfig(host, { servers, ports, enrolment });
  }

  /** From now on nobody is started again. */
  end(): void {
    this.#ending = true;
  }

  /** Sends a signal to the process of this name, if it lives: its number may be another's by now. */
  signal(id: string, signal: NodeJS.Signals): void {
    const pid = this.#pids.get(id);
    if (this.#children.isAlive(pid)) process.kill(pid!, signal);
  }

  /** True when an agent is dead and was killed. */
  wasKilled(id: string): boolean {
    return !this.#children.isAlive(this.#pids.get(id)) && this.#endedBy.get(id) === "SIGKILL";
  }

  /** Lets nobody start it again but `release`. */
  hold(id: string): void {
    this.#held.add(id);
  }

  /**
   * Starts again what was held down, as soon as its last life is over. `environment` is for this life
   * only; with `held` nobody starts it after that life either.
   */
  async release(id: string, environment: NodeJS.ProcessEnv = {}, held = false): Promise<void> {
    await this.ended(id);
    if (!held) this.#held.delete(id);
    if (this.#ending) return;
    const host = this.#hosts.find((h) => h.id === id);
    if (host) this.startAgent(host, environment);
    else await this.#startServer(id);
    this.#onChange();
  }

  /** Waits until its last life is over; ends it if it takes too long over that. */
  async ended(id: string): Promise<void> {
    const last = this.#pids.get(id);
    for (let tries = 0; this.#children.isAlive(last) && tries < END_TRIES; tries++) {
      await sleep(END_TRY_MS);
    }
    if (!this.#children.isAlive(last)) return;
    this.signal(id, "SIGKILL");
    while (this.#children.isAlive(last)) await sleep(END_TRY_MS);
  }

  startAgent(host: LabHost, environment: NodeJS.ProcessEnv = {}): void {
    const { id, configFile, namespace } = host;
    const args = ["agent", "--config", configFile];
    const child = this.#children.start(id, args, namespace, environment);
    this.note(id, child.pid);
    child.once("exit", (_code, signal) => {
      this.#endedBy.set(id, signal ?? undefined);
      if (!this.#ending && !this.#held.has(id)) setTimeout(() => this.#restart(host), RESTART_MS);
    });
  }

  #restart(host: LabHost): void {
    if (this.#ending || this.#held.has(host.id)) return;
    if (this.#children.isAlive(this.#pids.get(host.id))) return;
    this.startAgent(host);
    this.#onChange();
  }

  async #startServer(id: string): Promise<void> {
    const index = this.serverIds.indexOf(id);
    const address = this.#network.serverAddress(index);
    // The port that it had: its agents know no other.
    const port = this.#serverPorts[index] ?? (await this.#network.serverPort());
    const { child, port: taken } = await this.#children.startServer(
      id,
      [
        ...["--listen", address, "--port", `${port}`],
        ...this.#options.serverArguments(index, hostPort(address, port)),
      ],
      this.#network.serverNamespace(index),
    );
    this.#serverPorts[index] = taken;
    this.note(id, child.pid);
  }
}
