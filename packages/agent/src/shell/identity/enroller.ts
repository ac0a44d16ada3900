/**
 * Enrols a host, however long that takes: server after server, and again.
 *
 * Who is turned away for a reason that somebody has to mend asks more seldom.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { failpoint } from "@ttcs/units";
import type { TlsIdentity } from "../tls-entry.ts";
import { Enrolment, EnrolmentError } from "./enrol.ts";
import { type IdentityOwner, writeIdentity } from "./identity-file.ts";

/** Between two tries (ms), more or less by a half: at first, at last, and after a refusal. */
const RETRY_MS = 250;
const RETRY_MS_MAX = 5_000;
const REFUSED_MS = 10_000;

/** What an enroller needs. */
export interface EnrollerOptions {
  /** "host:port" of each coordinator, the first choice first. */
  readonly addresses: readonly string[];
  readonly owner: IdentityOwner;
  readonly token: string;
  /** Folder of the identity. */
  readonly stateDir: string;
  /** Told of each try that failed; `isFinal`: somebody has to act. */
  readonly onFailed: (address: string, reason: string, isFinal: boolean) => void;
}

/** See the module head. Undefined: `signal` was given. */
export async function enrolSomewhere(
  { addresses, owner, token, stateDir, onFailed }: EnrollerOptions,
  signal: AbortSignal,
): Promise<TlsIdentity | undefined> {
  const enrolment = new Enrolment(owner, token);
  let retryMs = RETRY_MS;
  for (let turn = 0; !signal.aborted; turn++) {
    const address = addresses[turn % addresses.length];
    let waitMs = retryMs;
    try {
      failpoint("agent.enrol");
      const identity = await enrolment.at(address);
      failpoint("agent.identity.write");
      writeIdentity(stateDir, owner, identity);
      return identity;
    } catch (error) {
      const isFinal = error instanceof EnrolmentError && error.isFinal;
      onFailed(address, (error as Error).message, isFinal);
      if (isFinal) waitMs = REFUSED_MS;
      retryMs = Math.min(RETRY_MS_MAX, 2 * retryMs);
    }
    await sleep(waitMs * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => {});
  }
  return undefined;
}
