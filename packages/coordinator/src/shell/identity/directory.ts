/**
 * Who holds which certificate, as the store has it: every connection asks, none waits for the database.
 *
 * All certificates are kept in memory, ended ones included, and what changes in the store is learnt
 * once a second. So a certificate that ends is known here a second later, whichever server ended it,
 * and a database that is gone stops nobody who was known before.
 */
import type { CertificateStore } from "@ttcs/store";

/** Changes are asked for this often (ms). */
const ASK_MS = 1_000;
/** Changes at a time. */
const PAGE = 5_000;

/** A host by its certificate. */
export interface HostIdentity {
  readonly domain: string;
  readonly hostId: string;
  readonly ended: boolean;
}

/** See the module head. */
export class Directory {
  readonly #certificates: CertificateStore;
  readonly #onEnded: (certificateHash: string, host: HostIdentity) => void;
  readonly #byHash = new Map<string, HostIdentity>();
  #revision = 0n;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<boolean> | undefined;

  /** @param onEnded told of each certificate that ends while this directory is open */
  constructor(
    certificates: CertificateStore,
    onEnded: (certificateHash: string, host: HostIdentity) => void,
  ) {
    this.#certificates = certificates;
    this.#onEnded = onEnded;
  }

  start(): void {
    void this.refresh();
    this.#timer = setInterval(() => void this.refresh(), ASK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The host of a certificate, by its SHA-256 in hexadecimal digits; undefined: not known here yet. */
  find(certificateHash: string): HostIdentity | undefined {
    return this.#byHash.get(certificateHash);
  }

  /** Asks for what has changed. False: the database does not answer. */
  refresh(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    for (;;) {
      const result = await this.#certificates.since(this.#revision, PAGE);
      if (!result.ok) return false;
      for (const { certificateHash, domain, hostId, ended, revision } of result.value) {
        const host = { domain, hostId, ended };
        this.#byHash.set(certificateHash, host);
        this.#revision = revision;
        if (ended) this.#onEnded(certificateHash, host);
      }
      if (result.value.length < PAGE) return true;
    }
  }
}
