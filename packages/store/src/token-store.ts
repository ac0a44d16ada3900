/**
 * Enrolment tokens: which hosts may ask for a certificate. Of a token's secret only the hash is kept.
 */
import type { Kysely } from "kysely";
import type { Attempt } from "./attempt.ts";
import type { StoreResult } from "./result.ts";
import type { Tables } from "./schema.ts";

/** A token as it stands in the store. */
export interface TokenRow {
  /** The part of it that is no secret. */
  readonly id: string;
  readonly domain: string;
  /** SHA-256 of the secret, in hexadecimal digits. */
  readonly secretHash: string;
  /** Unix time from which on it is of no use (ms); 0: never. */
  readonly expiresMs: number;
  readonly ended: boolean;
}

/** See the module head. */
export interface TokenStore {
  add(row: Omit<TokenRow, "ended">): Promise<StoreResult<void>>;
  find(id: string): Promise<StoreResult<TokenRow | undefined>>;
  list(): Promise<StoreResult<readonly TokenRow[]>>;
  /** Nobody enrols with it any more. False: there is none, or it has ended. */
  end(id: string): Promise<StoreResult<boolean>>;
}

/** Tokens in an SQL database. */
export function sqlTokenStore(db: Kysely<Tables>, attempt: Attempt): TokenStore {
  return {
    add: ({ id, domain, secretHash, expiresMs }) =>
      attempt(async () => {
        const row = { id, domain, secret_hash: secretHash, expires_ms: expiresMs, ended: 0 };
        await db.insertInto("enrolment_token").values(row).execute();
      }),
    find: (id) =>
      attempt(async () => {
        const query = db.selectFrom("enrolment_token").selectAll().where("id", "=", id);
        const row = await query.executeTakeFirst();
        return row && tokenOf(row);
      }),
    list: () =>
      attempt(async () => {
        const query = db.selectFrom("enrolment_token").selectAll().orderBy("domain").orderBy("id");
        return (await query.execute()).map(tokenOf);
      }),
    end: (id) =>
      attempt(async () => {
        const update = db.updateTable("enrolment_token").where("id", "=", id);
        const { numUpdatedRows } = await update
          .where("ended", "=", 0)
          .set({ ended: 1 })
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),
  };
}

function tokenOf(row: Tables["enrolment_token"]): TokenRow {
  return {
    id: row.id,
    domain: row.domain,
    secretHash: row.secret_hash,
    expiresMs: Number(row.expires_ms),
    ended: Number(row.ended) !== 0,
  };
}
