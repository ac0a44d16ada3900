/**
 * Where an agent's processor time goes.
 *
 * The core names its parts as it works; what is not named is the rest. The thread's own processor
 * time is read at every change, so waiting costs nothing and other threads do not count. The rest is
 * what the whole process has used beyond the parts: runtime, garbage collection, transport.
 */
import type { Meter, Part } from "../core/meter.ts";

/** Processor time since the start (s), by part. */
export interface CpuSeconds {
  /** Sending and reading out probes: the timestamper's thread. */
  readonly probing_s: number;
  /** Carrying stamps, packing and unpacking flushes. */
  readonly exchange_s: number;
  /** Fitting edges. */
  readonly fit_s: number;
  /** Solving the mesh: the coordinator only. */
  readonly solve_s: number;
  readonly rest_s: number;
}

const US_PER_S = 1e6;

/** See the module head. */
export class CpuMeter implements Meter {
  readonly #totalUs: Record<Part, number> = { exchange: 0, fit: 0 };
  readonly #stack: Part[] = [];
  #sinceUs = 0;

  begin(part: Part): void {
    this.#charge();
    this.#stack.push(part);
  }

  end(): void {
    this.#charge();
    this.#stack.pop();
  }

  /** The parts so far; `probingS` is what the timestamper's thread says of itself. */
  seconds(probingS: number): CpuSeconds {
    const exchange_s = this.#totalUs.exchange / US_PER_S;
    const fit_s = this.#totalUs.fit / US_PER_S;
    return partsOf({ probing_s: probingS, exchange_s, fit_s, solve_s: 0 });
  }

  /** Charges the time since the last change to the innermost part. */
  #charge(): void {
    const nowUs = threadCpuUs();
    const part = this.#stack.at(-1);
    if (part !== undefined) this.#totalUs[part] += nowUs - this.#sinceUs;
    this.#sinceUs = nowUs;
  }
}

function threadCpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Adds the rest of the process to the named parts. */
export function partsOf(named: Omit<CpuSeconds, "rest_s">): CpuSeconds {
  const { user, system } = process.cpuUsage();
  const { probing_s, exchange_s, fit_s, solve_s } = named;
  const namedS = probing_s + exchange_s + fit_s + solve_s;
  return { ...named, rest_s: Math.max(0, (user + system) / US_PER_S - namedS) };
}
