/**
 * The desk at which hosts enrol: a token and a certificate request in, a certificate out.
 *
 * Strangers come here, so what costs little is looked at first: the token, by its hash and in constant
 * time; whoever brings a wrong one learns nothing but that it is wrong. Who has a right one is served,
 * a few at a time; the others wait in a line that has an end.
 */
import type { EnrolmentRequest } from "@ttcs/protocol";
import type { Store } from "@ttcs/store";
import { Authority } from "./authority.ts";
import { isSameHash, parseToken } from "./token.ts";

/** Served at once: signing takes the processor, and the database has few connections. */
const AT_ONCE = 4;
const INSIDE_MAX = 2_048;
/** A name of the DNS has at most this many characters; so has everything else that is a name here. */
const NAME_LIMIT = 253;
/** The database is asked so often before a host is told to come again. */
const TRIES = 3;

/** Why somebody has to go without. */
export type RefusalKind = "bad-request" | "bad-token" | "taken" | "full" | "busy" | "unavailable";

/** What a host is told. */
export type DeskAnswer =
  | { readonly ok: true; readonly certificate: Buffer }
  | { readonly ok: false; readonly kind: RefusalKind; readonly reason: string };

/** What a desk needs. */
export interface DeskOptions {
  readonly authority: Authority;
  readonly store: Pick<Store, "tokens" | "certificates">;
  readonly domains: readonly string[];
  /** How many hosts of a domain may hold a certificate; undefined: any number. */
  readonly seats: number | undefined;
  /** The server's clock (Unix ms), for tokens that expire. */
  readonly nowMs: () => number;
}

const refuse = (kind: RefusalKind, reason: string): DeskAnswer => ({ ok: false, kind, reason });

/** See the module head. */
export class EnrolmentDesk {
  readonly #options: DeskOptions;
  readonly #waiting: (() => void)[] = [];
  #servedCount = 0;
  #insideCount = 0;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** @param onKnown called when the token has turned out to be valid */
  async enrol(request: EnrolmentRequest, onKnown: () => void): Promise<DeskAnswer> {
    const token = parseToken(request.token);
    const fault = this.#fault(request);
    if (fault) return refuse("bad-request", fault);
    if (!token) return badToken(request.domain);
    if (this.#insideCount >= INSIDE_MAX) {
      return refuse("busy", "too many hosts enrol at once; this one is served later");
    }
    this.#insideCount++;
    try {
      const refusal = await this.#checkToken(request.domain, token);
      if (refusal) return refusal;
      onKnown();
      return await this.#inTurn(() => this.#serve(request, token.id));
    } finally {
      this.#insideCount--;
    }
  }

  async #inTurn<T>(serve: () => Promise<T>): Promise<T> {
    if (this.#servedCount >= AT_ONCE) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#servedCount++;
    try {
      return await serve();
    } finally {
      this.#servedCount--;
      this.#waiting.shift()?.();
    }
  }

  async #checkToken(
    domain: string,
    token: { id: string; secretHash: string },
  ): Promise<DeskAnswer | undefined> {
    const found = await again(() => this.#options.store.tokens.find(token.id));
    if (!found.ok) return unavailable(found.reason);
    const row = found.value;
    const isValid =
      row !== undefined &&
      isSameHash(row.secretHash, token.secretHash) &&
      row.domain === domain &&
      !row.ended &&
      (row.expiresMs === 0 || this.#options.nowMs() < row.expiresMs);
    return isValid ? undefined : badToken(domain);
  }

  #fault({ domain, hostId }: EnrolmentRequest): string | undefined {
    if (hostId === "") return "host_id is empty; set it in the agent's configuration";
    if (hostId.length > NAME_LIMIT) return `host_id is longer than ${NAME_LIMIT} characters`;
    if (/[\s\p{Cc}]/u.test(hostId)) return "host_id has a blank or a control character in it";
    if (this.#options.domains.includes(domain)) return undefined;
    return `this server runs no domain "${domain.slice(0, NAME_LIMIT)}"`;
  }

  async #serve(
    { domain, hostId, certificateRequest }: EnrolmentRequest,
    token: string,
  ): Promise<DeskAnswer> {
    const { store, authority, seats } = this.#options;
    const key = await Authority.readRequest(certificateRequest);
    if (!key) return refuse("bad-request", "the certificate request is not one for a P-256 key");
    const { der, ...signed } = await authority.identifyHost(key, domain, hostId);
    const certificate = { ...signed, domain, hostId, token };
    const answer = await again(() =>
      store.certificates.enrol({ ...certificate, certificate: der.toString("hex") }, seats),
    );
    if (!answer.ok) return unavailable(answer.reason);
    switch (answer.value.kind) {
      case "enrolled":
        return { ok: true, certificate: Buffer.from(answer.value.certificate.certificate, "hex") };
      case "token-ended":
        return badToken(domain);
      case "full":
        return refuse(
          "full",
          `seat limit: all ${seats} seats of domain "${domain}" are taken; remove a host that is gone (ttcs host remove) or raise the limit`,
        );
      case "barred":
        return refuse(
          "bad-token",
          `host "${hostId}" was revoked; it may enrol again with a new token (ttcs token new)`,
        );
      case "taken":
        return refuse(
          "taken",
          `host_id "${hostId}" is enrolled with another key; give this host a host_id of its own, or remove the other if it is this machine made anew (ttcs host remove ${hostId})`,
        );
    }
  }
}

/** Asks the database a few times. */
async function again<T extends { ok: boolean }>(ask: () => Promise<T>): Promise<T> {
  let result = await ask();
  for (let tries = 1; !result.ok && tries < TRIES; tries++) result = await ask();
  return result;
}

const badToken = (domain: string): DeskAnswer =>
  refuse(
    "bad-token",
    `the enrolment token is not valid for domain "${domain}"; take a new one (ttcs token new) into the agent's configuration`,
  );

const unavailable = (reason: string): DeskAnswer =>
  refuse("unavailable", `the database does not answer (${reason}); the host asks again`);
