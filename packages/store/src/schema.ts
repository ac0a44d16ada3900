/**
 * The tables, and how they came to be what they are.
 *
 * One list of migrations serves both engines, so it keeps to what both have: text, 64-bit integers,
 * primary keys. Numbers come back as text from one engine and as numbers from the other; whoever
 * reads them makes them what he needs.
 */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** A 64-bit integer: written exactly, read as the engine gives it. */
type Int64 = bigint | number | string;

/** All tables. */
export interface Tables {
  lease: {
    domain: string;
    holder: string;
    /** JSON list of "host:port". */
    addresses: string;
    term: Int64;
    renewals: Int64;
    /** 0 or 1. */
    released: Int64;
  };
  domain_memory: {
    domain: string;
    term: Int64;
    /** JSON. */
    document: string;
  };
  server: {
    id: string;
    address: string;
    beat: Int64;
  };
}

/** By name, in order; a name that was shipped is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  "001-leadership": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable("lease")
        .addColumn("domain", "text", (c) => c.primaryKey())
        .addColumn("holder", "text", (c) => c.notNull())
        .addColumn("addresses", "text", (c) => c.notNull())
        .addColumn("term", "bigint", (c) => c.notNull())
        .addColumn("renewals", "bigint", (c) => c.notNull())
        .addColumn("released", "bigint", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("domain_memory")
        .addColumn("domain", "text", (c) => c.primaryKey())
        .addColumn("term", "bigint", (c) => c.notNull())
        .addColumn("document", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("server")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("address", "text", (c) => c.notNull())
        .addColumn("beat", "bigint", (c) => c.notNull())
        .execute();
    },
  },
};
