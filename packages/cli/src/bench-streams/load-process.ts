/** The processes that the agents of the benchmark live in, as the benchmark sees them. */
import { type ChildProcess, spawn } from "node:child_process";
import { processCost } from "../lab/processes.ts";
import type { LoadBack, LoadNews, LoadPlan, LoadTally } from "./load.ts";

/** What is asked of a load process. */
export type LoadQuestion = "tally" | "back" | "open";
/** What it sends. */
export type LoadMessage =
  | { readonly kind: "news"; readonly news: LoadNews }
  | { readonly kind: "tally"; readonly tally: LoadTally }
  | { readonly kind: "back"; readonly back: LoadBack };

/** See the module head. */
export class LoadProcess {
  readonly hostCount: number;
  readonly #child: ChildProcess;
  #servedCount = 0;
  #enrolledCount = 0;
  #refusedCount = 0;

  constructor(program: string, plan: LoadPlan) {
    this.hostCount = plan.hostCount;
    this.#child = spawn(process.execPath, [program, "bench-streams-load", JSON.stringify(plan)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
      detached: true,
    });
    this.#child.on("message", (message: LoadMessage) => {
      if (message.kind !== "news") return;
      this.#servedCount = message.news.servedCount;
      this.#enrolledCount = message.news.enrolledCount;
      this.#refusedCount = message.news.refusedCount;
    });
  }

  /** Agents that are being corrected now. */
  get servedCount(): number {
    return this.#servedCount;
  }

  get enrolledCount(): number {
    return this.#enrolledCount;
  }

  /** Liars that got no certificate. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** Lets all agents open their streams. */
  open(): void {
    this.#child.send({ ask: "open" satisfies LoadQuestion });
  }

  get cpuS(): number {
    const { pid } = this.#child;
    return (pid === undefined ? undefined : processCost("load", pid))?.cpu_seconds ?? 0;
  }

  async tally(): Promise<LoadTally> {
    const message = await this.#ask("tally");
    if (message.kind !== "tally") throw new Error("a load process answered something else");
    return message.tally;
  }

  async back(): Promise<LoadBack> {
    const message = await this.#ask("back");
    if (message.kind !== "back") throw new Error("a load process answered something else");
    return message.back;
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  #ask(ask: LoadQuestion): Promise<LoadMessage> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error("a load process has ended"));
      const hear = (message: LoadMessage) => {
        if (message.kind !== ask) return;
        this.#child.off("message", hear);
        this.#child.off("exit", gone);
        resolve(message);
      };
      this.#child.on("message", hear);
      this.#child.once("exit", gone);
      this.#child.send({ ask });
    });
  }
}
