/**
 * What survives of a domain: one document, written only by who holds its lease.
 *
 * Whoever writes says of which term he is; when the lease has passed on meanwhile, the write changes
 * no row and says so. One statement asks and writes, so nothing comes between.
 */
import { failpoint } from "@ttcs/units";
import { type Kysely, sql } from "kysely";
import type { Attempt } from "./attempt.ts";
import type { StoreResult } from "./result.ts";
import type { Tables } from "./schema.ts";

/** A domain's document and who wrote it. */
export interface StoredMemory {
  readonly term: bigint;
  readonly document: string;
}

/** See the module head. */
export interface DomainMemoryStore {
  read(domain: string): Promise<StoreResult<StoredMemory | undefined>>;
  /** False: the lease is not the holder's in this term, and nothing was written. */
  write(domain: string, holder: string, memory: StoredMemory): Promise<StoreResult<boolean>>;
}

/** Memories in an SQL database. */
export function sqlDomainMemoryStore(db: Kysely<Tables>, attempt: Attempt): DomainMemoryStore {
  return {
    read: (domain) =>
      attempt(async () => {
        failpoint("store.memory.read");
        const query = db.selectFrom("domain_memory").selectAll().where("domain", "=", domain);
        const row = await query.executeTakeFirst();
        return row && { term: BigInt(row.term), document: row.document };
      }),
    write: (domain, holder, { term, document }) =>
      attempt(async () => {
        failpoint("store.memory.write.before");
        // The last line guards against a write that was on its way while the lease passed on.
        const result = await sql`
          insert into domain_memory (domain, term, document)
          select domain, term, ${sql.val(document)} from lease
          where domain = ${domain} and holder = ${holder} and term = ${term}
          on conflict (domain) do update set term = excluded.term, document = excluded.document
          where domain_memory.term <= excluded.term
        `.execute(db);
        failpoint("store.memory.write.after");
        return (result.numAffectedRows ?? 0n) > 0n;
      }),
  };
}
