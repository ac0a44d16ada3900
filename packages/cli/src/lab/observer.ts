/**
 * Watches one host of a laboratory: what it says of itself, and what is true.
 *
 * The truth is computed from the seed and the control log alone, at the very kernel instant that the
 * host names in its answer, so neither the agent's estimates nor the time of asking enter into it.
 */
import type { AgentStatus, CpuSeconds, NowStatus } from "@ttcs/agent";
import { DomainLine } from "@ttcs/discipline";
import { rawNanos, unixNanos } from "@ttcs/units";
import { AgentClient, type Answers } from "../agentq/client.ts";
import type { LabHost } from "./plan.ts";
import { HostTruth, utcAt } from "./truth.ts";

/** One look at one host. */
export interface Sight {
  readonly now: NowStatus;
  readonly status: AgentStatus & { readonly cpu?: CpuSeconds };
}

/** See the module head. */
export class Observer {
  readonly host: LabHost;
  #client: AgentClient | undefined;
  #truth: HostTruth | undefined;

  constructor(host: LabHost) {
    this.host = host;
  }

  /** Asks the host; undefined while it does not answer. */
  async look(): Promise<Sight | undefined> {
    const now = await this.ask("now");
    const status = now && (await this.ask("status"));
    return status && { now, status };
  }

  /** Asks the host for one thing; undefined while it does not answer. */
  async ask<K extends keyof Answers>(request: K): Promise<Answers[K] | undefined> {
    try {
      this.#client ??= new AgentClient(this.host.status);
      return await this.#client.ask(request);
    } catch {
      this.#client?.close();
      this.#client = undefined;
      return undefined;
    }
  }

  /** What the host's system clock truly shows at a kernel instant (Unix ns). */
  systemAt(kernelRawNs: bigint): bigint {
    return this.#current().systemAt(kernelRawNs);
  }

  /** What the host's raw clock truly shows at a kernel instant (ns). */
  rawAt(kernelRawNs: bigint): bigint {
    return this.#current().rawAt(kernelRawNs);
  }

  /** What true time is at a kernel instant (Unix ns). */
  utcAt(kernelRawNs: bigint): bigint {
    return utcAt(this.host.clock, kernelRawNs);
  }

  close(): void {
    this.#client?.close();
    this.#truth?.close();
  }

  #current(): HostTruth {
    this.#truth ??= new HostTruth(this.host.clock);
    this.#truth.refresh();
    return this.#truth;
  }
}

/** Domain time at a kernel instant: the reference's line on its true raw clock (Unix ns). */
export function domainTruth(
  reference: Observer,
  line: AgentStatus["line"],
  kernelRawNs: bigint,
): bigint | undefined {
  if (line.length === 0) return undefined;
  const segments = line.map((s) => ({
    rawNs: rawNanos(BigInt(s.raw_ns)),
    domainUnixNs: unixNanos(BigInt(s.domain_ns)),
    domainFractionNs: s.domain_fraction_ns,
    freqPpb: s.freq_ppb,
  }));
  return new DomainLine(segments).at(rawNanos(reference.rawAt(kernelRawNs))).unixNs;
}
