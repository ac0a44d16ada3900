/** Runs a laboratory: starts the processes, looks at them, and sums up. */
import { accessSync, constants, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readKernelClocks } from "@ttcs/timestamper";
import { Children } from "./children.ts";
import { Figures, type LabSummary, type ProcessCost } from "./figures.ts";
import { Observer, type Sight } from "./observer.ts";
import { type LabHost, planHosts, writeConfig } from "./plan.ts";
import { processCost } from "./processes.ts";
import type { Row } from "./screen.ts";

/** Every host is looked at this often (ms). */
export const LOOK_EVERY_MS = 250;
/** An agent that has died is started again after this long (ms). */
const RESTART_MS = 1_000;

/** What to run. */
export interface LaboratoryOptions {
  readonly hosts: number;
  readonly seed: number;
  /** File for the processes while running and the summary at the end. */
  readonly json: string | undefined;
}

/** See the module head. */
export class Laboratory {
  readonly #options: LaboratoryOptions;
  readonly #dir = mkdtempSync(join(tmpdir(), "ttcs-lab-"));
  readonly #children = new Children(this.#dir);
  readonly #figures = new Figures(performance.now());
  readonly #hosts: readonly LabHost[];
  readonly #observers: readonly Observer[];
  readonly #pids = new Map<string, number>();
  readonly #costs = new Map<number, ProcessCost>();
  #lead: { by: Observer; line: Sight["status"]["line"] };
  #ending = false;

  /** @throws Error when the folder of the file for `json` cannot be written. */
  constructor(options: LaboratoryOptions) {
    this.#options = options;
    process.on("exit", () => rmSync(this.#dir, { recursive: true, force: true }));
    if (options.json) accessSync(dirname(options.json), constants.W_OK);
    this.#hosts = planHosts(options.hosts, options.seed, this.#dir, readKernelClocks());
    this.#observers = this.#hosts.map((host) => new Observer(host));
    this.#lead = { by: this.#observers[0], line: [] };
  }

  get figures(): Figures {
    return this.#figures;
  }

  /** Process id of a host or of the server, while it runs. */
  pid(id: string): number | undefined {
    return this.#pids.get(id);
  }

  /** Path of the Unix socket of host number `index`, from 0. */
  statusPath(index: number): string {
    return this.#hosts[index].status;
  }

  /** Starts the server, then all agents. */
  async start(): Promise<void> {
    const args = ["--listen", "127.0.0.1", "--port", "0"];
    const server = await this.#children.startServer(args);
    this.#pids.set("server", server.child.pid!);
    for (const host of this.#hosts) {
      writeConfig(host, server.port);
      this.#startAgent(host);
    }
    this.#writeJson(undefined);
  }

  /** Starts an agent, and again when it dies: what a service manager does on a real host. */
  #startAgent(host: LabHost): void {
    const child = this.#children.start(host.id, ["agent", "--config", host.configFile]);
    this.#pids.set(host.id, child.pid!);
    child.once("exit", () => {
      if (!this.#ending) setTimeout(() => this.#restartAgent(host), RESTART_MS);
    });
  }

  #restartAgent(host: LabHost): void {
    if (this.#ending) return;
    this.#startAgent(host);
    this.#writeJson(undefined);
  }

  /** Looks at every host once. */
  async look(): Promise<Row[]> {
    const sights = await Promise.all(this.#observers.map((o) => o.look()));
    // Domain time is defined on the raw clock of the host that leads, by the line that it holds.
    const leads = sights.findIndex((s) => s?.status.role === "reference" && isFresh(s));
    if (leads >= 0) this.#lead = { by: this.#observers[leads], line: sights[leads]!.status.line };
    for (const [id, pid] of this.#pids) {
      const cost = processCost(id, pid);
      // By process: one that was killed has cost what it has cost.
      if (cost) this.#costs.set(pid, cost);
    }
    return this.#observers.map((observer, i) => {
      const sight = sights[i];
      const sample = sight && this.#figures.judge(observer, sight, this.#lead.by, this.#lead.line);
      return { host: observer.host, sample, sight };
    });
  }

  /** Ends all processes, removes their files and writes the summary. */
  async end(): Promise<LabSummary> {
    const summary = this.#figures.summary({
      seed: this.#options.seed,
      ids: this.#hosts.map((h) => h.id),
      processes: [...this.#costs.values()],
    });
    this.#ending = true;
    for (const observer of this.#observers) observer.close();
    await this.#children.end();
    rmSync(this.#dir, { recursive: true, force: true });
    this.#writeJson(summary);
    return summary;
  }

  #writeJson(summary: LabSummary | undefined): void {
    if (!this.#options.json) return;
    const document = {
      seed: this.#options.seed,
      server: { pid: this.#pids.get("server"), url: null },
      agents: this.#hosts.map(({ id, role, status }) => ({
        id,
        pid: this.#pids.get(id),
        role,
        status,
      })),
      ...(summary ? { summary } : {}),
    };
    // Whole or not at all: others read the file while it is renewed.
    const { json } = this.#options;
    writeFileSync(`${json}.new`, `${JSON.stringify(document, null, 2)}\n`);
    renameSync(`${json}.new`, json);
  }
}

/** Corrections come twice a second; a former reference that hears none leads no more (s). */
const isFresh = (sight: Sight): boolean => (sight.status.correction_age_s ?? 0) < 2;
