/** Asks with the real `ttcs-agentq now`, as an administrator would, and holds it against the truth. */
import { execFile } from "node:child_process";
import type { NowStatus } from "@ttcs/agent";
import { agentqProgram } from "../children.ts";
import type { LabHost } from "../plan.ts";
import type { AgentqSample } from "./types.ts";
import type { Watch } from "./watch.ts";

/** The program tells the clock that the truth computes another way: they may round apart (ns). */
const ROUNDING_NS = 2n;
/** A program that does not answer within this long has failed (ms). */
const PATIENCE_MS = 8_000;

/** Runs the program once; undefined when the agent did not answer. */
export async function askAgentq(host: LabHost): Promise<NowStatus | undefined> {
  const args = [agentqProgram, "now", "--json", "--address", host.status];
  const text = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { timeout: PATIENCE_MS }, (error, stdout) =>
      resolve(error ? "" : stdout),
    );
  });
  return text === "" ? undefined : JSON.parse(text);
}

/**
 * It agrees when the clock that it shows is the true one at the instant that it names, and the bound
 * that it shows holds the true error.
 */
export function checkAgentq(host: LabHost, now: NowStatus, watch: Watch): AgentqSample {
  const kernelRawNs = BigInt(now.kernel_monotonic_raw_ns);
  const apartNs = watch.systemAt(host, kernelRawNs) - BigInt(now.system_ns);
  const errorNs = watch.errorAt(host, kernelRawNs);
  const held = errorNs === null || now.bound_ns === null || Math.abs(errorNs) <= now.bound_ns;
  return { host: host.id, agreed: held && apartNs <= ROUNDING_NS && apartNs >= -ROUNDING_NS };
}
