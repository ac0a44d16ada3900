/**
 * Takes the laboratory's cost by part of the work, from the time when it has settled to its end.
 *
 * Agents tell what their parts have used with every status; the server is asked on a socket of its
 * own, twice: that is cheap, and enough for a difference.
 */
import type { CpuSeconds } from "@ttcs/agent";
import { type CostSnapshot, type Costs, costsBetween } from "./costs.ts";
import { processCost } from "./processes.ts";
import { askServer, type ServerStatus } from "./server-status.ts";

/** See the module head. */
export class CostMeter {
  readonly #serverPath: string;
  #first: CostSnapshot | undefined;
  #last: CostSnapshot | undefined;
  #server: ServerStatus | undefined;

  /** @param serverPath the server's status socket */
  constructor(serverPath: string) {
    this.#serverPath = serverPath;
  }

  /** True once the interval has begun. */
  get begun(): boolean {
    return this.#first !== undefined;
  }

  /** The server's own account, as of the last note. */
  get server(): ServerStatus | undefined {
    return this.#server;
  }

  /** Costs from the first note to the last; undefined: there was one at most. */
  get costs(): Costs | undefined {
    const [first, last] = [this.#first, this.#last];
    return first && last && last.atS > first.atS ? costsBetween(first, last) : undefined;
  }

  /**
   * Notes where all processes stand.
   *
   * @param pids process ids by name, the server's among them
   * @param cpu what each agent says of itself, by name
   */
  async note(
    pids: ReadonlyMap<string, number>,
    cpu: ReadonlyMap<string, CpuSeconds | undefined>,
  ): Promise<void> {
    this.#server = (await askServer(this.#serverPath)) ?? this.#server;
    const processes = [...pids].flatMap(([id, pid]) => {
      const cost = processCost(id, pid);
      if (!cost) return [];
      const said = id === "server" ? this.#server?.cpu : cpu.get(id);
      const { cpu_seconds: cpuSeconds, memory_mb: memoryMb } = cost;
      return [{ id, pid, cpuSeconds, memoryMb, ...(said ? { cpu: said } : {}) }];
    });
    const snapshot = { atS: performance.now() / 1000, processes };
    this.#first ??= snapshot;
    this.#last = snapshot;
  }
}
