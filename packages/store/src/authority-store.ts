/**
 * The authority that vouches for servers and hosts: one row, made by the first server that starts and
 * shared by all. Its private key is encrypted before it comes here.
 */
import { failpoint } from "@ttcs/units";
import type { Kysely } from "kysely";
import type { Attempt } from "./attempt.ts";
import type { StoreResult } from "./result.ts";
import type { Tables } from "./schema.ts";

/** The name of the only row. */
const NAME = "ttcs";

/** Certificate and encrypted private key, both PEM. */
export interface AuthorityRow {
  readonly certificate: string;
  readonly privateKey: string;
}

/** See the module head. */
export interface AuthorityStore {
  read(): Promise<StoreResult<AuthorityRow | undefined>>;
  /** Keeps an authority if there is none; answers with the one that is kept. */
  keepFirst(row: AuthorityRow): Promise<StoreResult<AuthorityRow>>;
}

/** The authority in an SQL database. */
export function sqlAuthorityStore(db: Kysely<Tables>, attempt: Attempt): AuthorityStore {
  const read = async (): Promise<AuthorityRow | undefined> => {
    const query = db.selectFrom("authority").selectAll().where("name", "=", NAME);
    const row = await query.executeTakeFirst();
    return row && { certificate: row.certificate, privateKey: row.private_key };
  };
  return {
    read: () => attempt(read),
    keepFirst: ({ certificate, privateKey }) =>
      attempt(async () => {
        failpoint("store.authority.before");
        const row = { name: NAME, certificate, private_key: privateKey };
        const insert = db.insertInto("authority").values(row);
        await insert.onConflict((c) => c.doNothing()).execute();
        failpoint("store.authority.after");
        return (await read())!;
      }),
  };
}
