/** Runs a laboratory: starts the processes, looks at them, and sums up. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { appendForeign, readKernelClocks } from "@ttcs/timestamper";
import { reasonOf } from "../fail.ts";
import { Backstage } from "./backstage.ts";
import type { DeedResult } from "./chaos/verdict.ts";
import { checkForeign, checkJson } from "./checks.ts";
import { Children } from "./children.ts";
import { CostMeter } from "./cost-meter.ts";
import { TrafficSender } from "./cross-traffic.ts";
import { Figures, type LabSummary, type ProcessCost, SETTLED_AFTER_S } from "./figures.ts";
import { Fleet } from "./fleet.ts";
import { makeLabFolder, removeLabFolder, removeLeftoverFolders } from "./folder.ts";
import type { ForeignHand } from "./foreign.ts";
import { type CrossTraffic, writeLabFile } from "./lab-file.ts";
import { Namespaces, namespaceObstacle, removeLeftoverNamespaces } from "./namespaces.ts";
import { type LabNetwork, loopbackNetwork, serverId } from "./network.ts";
import { Observer, type Sight } from "./observer.ts";
import { hostIds, type LabHost, planHosts } from "./plan.ts";
import { processCost } from "./processes.ts";
import type { ProfileName } from "./profiles.ts";
import { assembleTrace, prepareRecording, type TraceCounts } from "./record.ts";
import type { Row } from "./screen.ts";
import { HostTruth } from "./truth.ts";

/** Every host is looked at this often (ms). */
export const LOOK_EVERY_MS = 250;
/**
 * Agents are started this far apart (ms): on two cores 32 that load at once keep each other from
 * working, and the last one is LOCKED two to four seconds later. 8 lose less than a second by it.
 */
const STAGGER_MS = 100;
/** From the last probe to the last look (ms): what is under way arrives and is counted. */
const QUIET_MS = 300;
/** All hosts of a laboratory are in one region, in recordings. */
const REGION = "r0";

/** What to run. */
export interface LaboratoryOptions {
  readonly hosts: number;
  readonly servers: number;
  /** True: it is going to be broken. */
  readonly chaos: boolean;
  /** How long it runs, unless it is ended earlier (s). */
  readonly seconds: number;
  readonly seed: number;
  readonly profile: ProfileName;
  /** File for the processes while running and the summary at the end. */
  readonly json: string | undefined;
  /** True: loopback also where network namespaces could be had. */
  readonly loopback: boolean;
  readonly ipv6: boolean;
  readonly crossTraffic: boolean;
  /** True: the server is beyond a NAT. */
  readonly nat: boolean;
  /** Coded pairs on each directed edge; undefined: the server's default. */
  readonly pairsPerSecond: number | undefined;
  /** True: the reference's time daemon slews its clock once. */
  readonly slew: boolean;
  /** Folder for recorded probes; undefined: nothing is recorded. */
  readonly recordDir: string | undefined;
  readonly foreign: readonly ForeignHand[];
}

/** See the module head. */
export class Laboratory {
  readonly #options: LaboratoryOptions;
  readonly #dir = makeLabFolder();
  readonly #children = new Children(this.#dir);
  readonly #figures: Figures;
  readonly #network: LabNetwork;
  readonly #hosts: readonly LabHost[];
  readonly #observers: readonly Observer[];
  readonly #fleet: Fleet;
  readonly #backstage: Backstage;
  readonly #costs = new Map<number, ProcessCost>();
  readonly #meter = new CostMeter(join(this.#dir, "server.sock"));
  /** Where it runs, in words. */
  readonly place: string;
  #lead: { by: Observer; line: Sight["status"]["line"] };
  #traffic: TrafficSender | undefined;
  #crossTraffic: CrossTraffic | undefined;
  #recorded: TraceCounts | undefined;
  #ending = false;
  /** True when the recording takes the place of an earlier one. */
  readonly replacesRecording: boolean;

  /** @throws Error when a file or the network cannot be had. */
  constructor(options: LaboratoryOptions) {
    this.#options = options;
    process.on("exit", () => this.#abandon());
    removeLeftoverFolders();
    if (options.json) checkJson(options.json);
    checkForeign(options);
    this.replacesRecording = options.recordDir ? prepareRecording(options.recordDir) : false;
    const { network, place } = openNetwork(options);
    this.#network = network;
    this.place = place;
    this.#figures = new Figures(performance.now());
    this.#hosts = planHosts(options, this.#dir, readKernelClocks(), network);
    this.#backstage = new Backstage(this.#dir, options);
    this.#fleet = new Fleet(this.#children, network, this.#hosts, {
      servers: options.servers,
      serverArguments: (index, address) => this.#serverArguments(index, address),
    });
    this.#fleet.onChange(() => this.#renewJson());
    this.#observers = this.#hosts.map((host) => new Observer(host));
    this.#lead = { by: this.#observers[0], line: [] };
  }

  get figures(): Figures {
    return this.#figures;
  }

  get fleet(): Fleet {
    return this.#fleet;
  }

  get network(): LabNetwork {
    return this.#network;
  }

  get observers(): readonly Observer[] {
    return this.#observers;
  }

  get backstage(): Backstage {
    return this.#backstage;
  }

  /** Process id of a host or of the server, while it runs. */
  pid(id: string): number | undefined {
    return this.#fleet.pids.get(id);
  }

  /** Path of the Unix socket of host number `index`, from 0. */
  statusPath(index: number): string {
    return this.#hosts[index].status;
  }

  /** Starts the servers, then all agents. */
  async start(): Promise<void> {
    if (this.#ending) return;
    await this.#backstage.open();
    await this.#fleet.startServers(await this.#backstage.enrolment());
    this.#scheduleForeign();
    for (const host of this.#hosts) {
      if (this.#ending) return;
      this.#fleet.startAgent(host);
      await sleep(STAGGER_MS);
    }
    if (this.#options.crossTraffic) this.#startTraffic();
    this.#writeJson(undefined);
  }

  /** Path of a server's status socket. */
  serverSocket(id: string): string {
    return join(this.#dir, `${id}.sock`);
  }

  #serverArguments(index: number, address: string): string[] {
    const { pairsPerSecond } = this.#options;
    const rate = pairsPerSecond === undefined ? [] : ["--pairs-per-second", `${pairsPerSecond}`];
    const url = this.#backstage.databaseUrl;
    const shared = url === undefined ? [] : ["--database", url, "--advertise", address];
    const name = url === undefined ? [] : ["--server-id", serverId(index)];
    const socket = ["--status-socket", this.serverSocket(serverId(index))];
    const key = ["--authority-key", this.#backstage.authorityKey];
    const state = ["--state-dir", this.#backstage.serverFolder(index), ...key];
    return [...socket, ...state, ...rate, ...shared, ...name];
  }

  /** Lets a start that is under way come to its end early. */
  stopStarting(): void {
    this.#ending = true;
    this.#fleet.end();
  }

  #renewJson(): void {
    try {
      this.#writeJson(undefined);
    } catch {
      // The run goes on; what is wrong with the file is told at its end.
    }
  }

  /** Other hands do their work when their time has come; the clocks look for it themselves. */
  #scheduleForeign(): void {
    for (const { host: id, atS, write } of this.#options.foreign) {
      const host = this.#hosts.find((h) => h.id === id)!;
      const { stateDir, index } = host.clock;
      const inMs = Math.max(0, atS - this.#figures.elapsedS) * 1_000;
      setTimeout(() => {
        if (!this.#ending) appendForeign(stateDir, index, write);
      }, inMs).unref();
    }
  }

  #startTraffic(): void {
    if (!(this.#network instanceof Namespaces)) return;
    this.#traffic = new TrafficSender(this.#network, this.#hosts);
    const child = this.#traffic.start(this.#options.seed, (name, args, namespace) =>
      this.#children.start(name, args, namespace),
    );
    this.#fleet.note("traffic", child.pid);
  }

  /** What cross traffic there has been, once the laboratory has ended; undefined: none. */
  get crossTraffic(): CrossTraffic | undefined {
    return this.#crossTraffic;
  }

  /** Looks at every host once. */
  async look(): Promise<Row[]> {
    const sights = await Promise.all(this.#observers.map((o) => o.look()));
    // Domain time is defined on the raw clock of the host that leads, by the line that it holds.
    const leads = sights.findIndex((s) => s?.status.role === "reference" && isFresh(s));
    if (leads >= 0) this.#lead = { by: this.#observers[leads], line: sights[leads]!.status.line };
    for (const [id, pid] of this.#fleet.pids) {
      const cost = processCost(id, pid);
      // By process: one that was killed has cost what it has cost.
      if (cost) this.#costs.set(pid, cost);
    }
    const settled = this.#figures.elapsedS >= SETTLED_AFTER_S;
    if (settled && (!this.#meter.begun || this.#ending)) await this.#noteCosts(sights);
    return this.#observers.map((observer, i) => {
      const sight = sights[i];
      const sample = sight && this.#figures.judge(observer, sight, this.#lead.by, this.#lead.line);
      return { host: observer.host, sample, sight };
    });
  }

  #noteCosts(sights: readonly (Sight | undefined)[]): Promise<void> {
    const cpu = new Map(sights.map((s, i) => [this.#hosts[i].id, s?.status.cpu]));
    return this.#meter.note(this.#fleet.pids, cpu);
  }

  /** Takes a last look and ends all processes; `finish` comes after it. */
  async end(): Promise<LabSummary> {
    this.stopStarting();
    await this.look();
    this.#children.quiet();
    await sleep(QUIET_MS);
    await this.look();
    const { costs, server } = this.#meter;
    const summary = {
      ...this.#figures.summary({
        seed: this.#options.seed,
        ids: this.#hosts.map((h) => h.id),
        processes: [...this.#costs.values()],
      }),
      ...(costs ? { costs } : {}),
      ...(server ? { server_counters: server.counters } : {}),
    };
    for (const observer of this.#observers) observer.close();
    this.#crossTraffic = this.#traffic?.sumUp();
    await this.#children.end();
    return summary;
  }

  /** Writes the files and removes all that the processes have left; returns what went wrong. */
  finish(summary: LabSummary, chaos?: readonly DeedResult[]): string[] {
    const { json, recordDir } = this.#options;
    const faults: string[] = [];
    const attempt = (option: string, write: () => void) => {
      try {
        write();
      } catch (error) {
        faults.push(`${option}: cannot be written: ${reasonOf(error)}`);
      }
    };
    attempt(`--json ${json}`, () => this.#writeJson(summary, chaos));
    attempt(`--record ${recordDir}`, () => this.#assembleTrace());
    this.#network.close();
    this.#backstage.close();
    removeLabFolder(this.#dir);
    return faults;
  }

  /** What was recorded, once the laboratory has ended; undefined: nothing. */
  get recorded(): TraceCounts | undefined {
    return this.#recorded;
  }

  /** Agents have ended and their control logs are still there. */
  #assembleTrace(): void {
    const { recordDir } = this.#options;
    if (!recordDir) return;
    const truths = new Map(this.#hosts.map(({ id, clock }) => [id, new HostTruth(clock)]));
    const hosts = this.#hosts.map(({ id, clockQuality }) => ({ id, region: REGION, clockQuality }));
    try {
      this.#recorded = assembleTrace(recordDir, hosts, (id) => truths.get(id)!);
    } finally {
      for (const truth of truths.values()) truth.close();
    }
  }

  /** An exit that nobody planned leaves nothing behind either. */
  #abandon(): void {
    this.#children.kill();
    this.#network?.close();
    this.#backstage?.close();
    removeLabFolder(this.#dir);
  }

  #writeJson(summary: LabSummary | undefined, chaos?: readonly DeedResult[]): void {
    const { json, seed, profile } = this.#options;
    if (!json) return;
    writeLabFile(json, {
      seed,
      profile,
      namespaces: this.#network.namespaces,
      hosts: this.#hosts,
      pids: this.#fleet.pids,
      servers: this.#fleet.serverIds.map((id, index) => ({
        id,
        address: this.#network.serverAddress(index),
        namespace: this.#network.serverNamespace(index),
      })),
      natNamespace: this.#network instanceof Namespaces ? this.#network.natNamespace : undefined,
      crossTraffic: this.#crossTraffic,
      summary,
      chaos,
    });
  }
}

/** Network namespaces where they can be had, else loopback; and the choice in words. */
function openNetwork(options: LaboratoryOptions): { network: LabNetwork; place: string } {
  const { hosts, servers, ipv6, nat } = options;
  const loopback = (why: string) => {
    if (options.crossTraffic) throw new Error(`cross traffic needs network namespaces: ${why}`);
    if (nat) throw new Error(`a NAT needs network namespaces: ${why}`);
    return { network: loopbackNetwork(ipv6), place: `on loopback (${why})` };
  };
  if (options.loopback) return loopback("as asked for");
  const obstacle = namespaceObstacle();
  if (obstacle !== undefined) return loopback(obstacle);
  removeLeftoverNamespaces();
  try {
    const place = nat ? "in network namespaces, the server beyond a NAT" : "in network namespaces";
    return { network: new Namespaces(hostIds(hosts), { ipv6, servers, nat }), place };
  } catch (error) {
    return loopback((error as Error).message);
  }
}

/** Corrections come twice a second; a former reference that hears none leads no more (s). */
const isFresh = (sight: Sight): boolean => (sight.status.correction_age_s ?? 0) < 2;
