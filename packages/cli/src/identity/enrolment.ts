/** What a host needs to enrol: the authority's fingerprint and a token. */
import { newToken, openAuthority } from "@ttcs/coordinator";
import type { Store } from "@ttcs/store";

/** As in an agent's configuration. */
export interface Enrolment {
  readonly caFingerprint: string;
  readonly enrolmentToken: string;
}

/**
 * A new token for a domain.
 *
 * @param expiresMs Unix time from which on it is of no use (ms); 0: never
 * @throws Error when the database does not answer
 */
export async function newEnrolment(
  store: Store,
  keyFile: string,
  domain: string,
  expiresMs = 0,
): Promise<Enrolment> {
  const authority = await openAuthority(store, keyFile, {
    waiting: (reason) => {
      throw new Error(reason);
    },
  });
  const { text, id, secretHash } = newToken();
  const added = await store.tokens.add({ id, domain, secretHash, expiresMs });
  if (!added.ok) throw new Error(added.reason);
  return { caFingerprint: authority.fingerprint, enrolmentToken: text };
}
