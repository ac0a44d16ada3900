/** One instant on all clocks of a host, with what is guaranteed about it: `ttcs-agentq now`. */
import type { ClockReading } from "@ttcs/timestamper/types";
import { rawNanos } from "@ttcs/units";
import type { AgentCore } from "./agent.ts";

/** The answer to "now"; instants are decimal strings of ns. */
export interface NowStatus {
  readonly host: string;
  readonly kernel_monotonic_raw_ns: string;
  readonly system_ns: string;
  /** Domain time as this host estimates it; null before the first correction. */
  readonly domain_ns: string | null;
  /** `system_ns` is within this of domain time, guaranteed; null before the first correction. */
  readonly bound_ns: number | null;
  /** `domain_ns` is within this of domain time, guaranteed. */
  readonly domain_bound_ns: number | null;
  /** Standard uncertainty of `domain_ns`. */
  readonly sigma_ns: number | null;
  /** `system_ns` is within this of UTC, if the reference's own source is right; null without one. */
  readonly utc_bound_ns: number | null;
  readonly state: string;
}

/** Puts a reading of the clocks beside the domain line. */
export function nowStatus(core: AgentCore, host: string, reading: ClockReading): NowStatus {
  const rawNs = rawNanos(reading.rawNs);
  const { verdict } = core.standing(rawNs);
  const clocks = {
    host,
    kernel_monotonic_raw_ns: String(reading.kernelRawNs),
    system_ns: String(reading.systemNs),
  };
  const line = core.keeper.line;
  if (!line) {
    const none = { domain_ns: null, bound_ns: null, domain_bound_ns: null, sigma_ns: null };
    return { ...clocks, ...none, utc_bound_ns: null, state: verdict.state };
  }
  const domain = line.at(rawNs);
  const { sigmaNs, boundNs } = core.keeper.lineError(rawNs);
  const apartNs = Number(reading.systemNs - domain.unixNs) - domain.fractionNs;
  const domainBoundNs = boundNs + reading.errorBoundNs;
  const systemBoundNs = domainBoundNs + Math.abs(apartNs);
  const domainUtcNs = core.keeper.domainUtcBoundNs(rawNs);
  return {
    ...clocks,
    domain_ns: String(domain.unixNs + BigInt(Math.round(domain.fractionNs))),
    bound_ns: systemBoundNs,
    domain_bound_ns: domainBoundNs,
    sigma_ns: sigmaNs,
    utc_bound_ns: domainUtcNs === undefined ? null : systemBoundNs + domainUtcNs,
    state: verdict.state,
  };
}
