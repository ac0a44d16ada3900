/**
 * Whether this host has a certificate of its own, and how it comes by one.
 */
import { rename } from "node:fs/promises";
import type { AgentConfig } from "@ttcs/protocol";
import { TtcsError } from "@ttcs/units";
import type { Logger } from "pino";
import type { TlsIdentity } from "../tls-entry.ts";
import { enrolSomewhere } from "./enroller.ts";
import { type IdentityOwner, identityPath, readIdentity } from "./identity-file.ts";

const ADVICE = "ttcs token new prints it, at the server, for the agent's configuration";

/** See the module head. */
export class Membership {
  readonly #config: AgentConfig;
  readonly #owner: IdentityOwner;
  readonly #addresses: readonly string[];
  readonly #log: Logger;
  readonly #ending = new AbortController();

  /** @param addresses "host:port" of each coordinator, the first choice first */
  constructor(config: AgentConfig, hostId: string, addresses: readonly string[], log: Logger) {
    const { domain, caFingerprint } = config;
    this.#config = config;
    this.#owner = { hostId, domain, caFingerprint };
    this.#addresses = addresses;
    this.#log = log;
  }

  /**
   * Who this host is since an earlier life; undefined: it has to enrol.
   *
   * @throws TtcsError ENROLMENT when the configuration has not what that takes
   */
  read(): TlsIdentity | undefined {
    const { caFingerprint, enrolmentToken, stateDir } = this.#config;
    if (caFingerprint === "") throw this.#fault(`ca_fingerprint is missing; ${ADVICE}`);
    const identity = readIdentity(stateDir, this.#owner, (fault) => this.#log.warn(fault));
    if (!identity && enrolmentToken === "") {
      throw this.#fault(`enrolment_token is missing; ${ADVICE}`);
    }
    return identity;
  }

  /**
   * Enrols, however long it takes. Undefined: the agent has ended meanwhile.
   *
   * @param onRefused told why somebody has to act first
   */
  async enrol(onRefused: (reason: string) => void): Promise<TlsIdentity | undefined> {
    let told = "";
    const identity = await enrolSomewhere(
      {
        addresses: this.#addresses,
        owner: this.#owner,
        token: this.#config.enrolmentToken,
        stateDir: this.#config.stateDir,
        onFailed: (address, detail, isFinal) => {
          const { message } = this.#fault(detail, address);
          if (message !== told) this.#log.warn(message);
          told = message;
          if (isFinal) onRefused(message);
        },
      },
      this.#ending.signal,
    );
    if (identity) this.#log.info("enrolled: this host has a certificate of its own");
    return identity;
  }

  /** The certificate has ended: it is put aside, and the host enrols anew if it may. */
  async renew(onRefused: (reason: string) => void): Promise<TlsIdentity | undefined> {
    const path = identityPath(this.#config.stateDir);
    await rename(path, `${path}.old`).catch(() => {});
    return this.enrol(onRefused);
  }

  close(): void {
    this.#ending.abort();
  }

  #fault(detail: string, address = this.#addresses[0]): TtcsError {
    return new TtcsError("ENROLMENT", { address, detail });
  }
}
