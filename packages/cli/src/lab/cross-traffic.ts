/** Cross traffic in a laboratory: shapers in front of some hosts, and a sender that fills them. */
import type { ChildProcess } from "node:child_process";
import type { CrossTraffic } from "./lab-file.ts";
import type { Namespaces } from "./namespaces.ts";
import type { LabHost } from "./plan.ts";
import type { TrafficReport } from "./traffic.ts";

/** It goes to these hosts, by their index (none of them is the reference). */
const TRAFFIC_TO = [1, 2];
/** Towards each of them (Mbit/s): 70 % of what the shaper in front of it lets through. */
const TRAFFIC_MBIT = 140;

/** Starts a process of the laboratory in a namespace. */
type StartProcess = (name: string, args: readonly string[], namespace: string) => ChildProcess;

/** See the module head. */
export class TrafficSender {
  readonly #network: Namespaces;
  readonly #hosts: readonly LabHost[];
  #report: TrafficReport | undefined;

  constructor(network: Namespaces, hosts: readonly LabHost[]) {
    this.#network = network;
    this.#hosts = hosts;
  }

  /** Shapes the network and begins to send; returns the process. */
  start(seed: number, startProcess: StartProcess): ChildProcess {
    this.#network.shape();
    const targets = this.#targets().map((index) => this.#hosts[index].address);
    const args = ["lab-traffic", "--mbit", `${TRAFFIC_MBIT}`, "--seed", `${seed}`, ...targets];
    const child = startProcess("traffic", args, this.#network.trafficNamespace);
    child.on("message", (report: TrafficReport) => {
      this.#report = report;
    });
    return child;
  }

  /** What has really been sent; undefined before the first report. */
  sumUp(): CrossTraffic | undefined {
    const report = this.#report;
    if (report === undefined) return undefined;
    const targets = this.#targets();
    return {
      hosts: targets.map((index) => this.#hosts[index].id),
      mbit_per_s: Math.round(report.sentMbit / report.seconds / targets.length),
      dropped: targets.reduce((sum, i) => sum + this.#network.shaperStatistics(i).droppedCount, 0),
    };
  }

  #targets(): number[] {
    return TRAFFIC_TO.filter((index) => index < this.#hosts.length);
  }
}
