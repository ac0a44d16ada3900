/**
 * `ttcs token` and `ttcs host`: who may enrol, and who is enrolled. They speak to the servers' database,
 * whether or not a server runs; servers learn of changes within a second.
 */
import { parseToken } from "@ttcs/coordinator";
import type { CertificateRow, Store, StoreResult, TokenRow } from "@ttcs/store";
import Table from "cli-table3";
import { fail } from "../fail.ts";
import { newEnrolment } from "../identity/enrolment.ts";
import { authorityKeyFile, openStateStore, type StateOptions } from "../identity/state-store.ts";

const DAY_MS = 86_400_000;

/** Works with the store; what goes wrong is one line. */
async function withStore(
  options: StateOptions,
  work: (store: Store) => Promise<string>,
): Promise<void> {
  const store = openStateStore(options);
  try {
    process.stdout.write(`${await work(store)}\n`);
  } catch (error) {
    fail((error as Error).message, 1);
  } finally {
    await store.close();
  }
}

function answerOf<T>(result: StoreResult<T>): T {
  if (result.ok) return result.value;
  throw new Error(`the database does not answer: ${result.reason}`);
}

/** `ttcs token new`: prints the lines for agents' configurations; the token is shown this once. */
export const runTokenNew = (
  options: StateOptions & { readonly domain: string; readonly days?: number },
): Promise<void> =>
  withStore(options, async (store) => {
    const { domain, days } = options;
    const expiresMs = days === undefined ? 0 : Date.now() + days * DAY_MS;
    const enrolment = await newEnrolment(store, authorityKeyFile(options), domain, expiresMs);
    return [
      ...(domain === "default" ? [] : [`domain: "${domain}"`]),
      `ca_fingerprint: "${enrolment.caFingerprint}"`,
      `enrolment_token: "${enrolment.enrolmentToken}"`,
    ].join("\n");
  });

/** `ttcs token list`. */
export const runTokenList = (options: StateOptions): Promise<void> =>
  withStore(options, async (store) => {
    const rows = answerOf(await store.tokens.list());
    if (rows.length === 0) return "no tokens; make one with ttcs token new";
    const state = ({ ended, expiresMs }: TokenRow) => {
      if (ended) return "ended";
      if (expiresMs === 0) return "valid";
      const at = new Date(expiresMs).toISOString().slice(0, 16).replace("T", " ");
      return `${Date.now() < expiresMs ? "valid until" : "expired"} ${at} UTC`;
    };
    return tableOf(
      ["token", "domain", "state"],
      rows.map((row) => [row.id, row.domain, state(row)]),
    );
  });

/** `ttcs token end ID`. */
export const runTokenEnd = (given: string, options: StateOptions): Promise<void> =>
  withStore(options, async (store) => {
    const id = parseToken(given)?.id ?? given;
    if (answerOf(await store.tokens.end(id))) return `nobody enrols with token ${id} any more`;
    throw new Error(`there is no token ${id} that is valid; ttcs token list shows them`);
  });

/** `ttcs host list`. */
export const runHostList = (options: StateOptions): Promise<void> =>
  withStore(options, async (store) => {
    const rows = answerOf(await store.certificates.list());
    if (rows.length === 0) return "no host has enrolled";
    const cells = ({ domain, hostId, serial, token }: CertificateRow) => [
      domain,
      hostId,
      serial,
      token,
    ];
    return tableOf(["domain", "host", "certificate", "token"], rows.map(cells));
  });

/** `ttcs host remove HOST` and `ttcs host revoke HOST`. */
export const runHostEnd =
  (kind: "removed" | "revoked") =>
  (hostId: string, options: StateOptions & { readonly domain: string }): Promise<void> =>
    withStore(options, async (store) => {
      const { domain } = options;
      if (!answerOf(await store.certificates.end(domain, hostId, kind))) {
        throw new Error(
          `host "${hostId}" of domain "${domain}" holds no certificate; ttcs host list shows who does`,
        );
      }
      const again =
        kind === "removed" ? "it may enrol again" : "it may enrol again with a new token only";
      return `host ${hostId} is ${kind}: its seat is free, ${again}`;
    });

function tableOf(head: string[], rows: string[][]): string {
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...rows);
  return table.toString();
}
