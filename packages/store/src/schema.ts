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
  /** One row: who vouches for servers and hosts. */
  authority: {
    name: string;
    /** PEM. */
    certificate: string;
    /** PEM, encrypted. */
    private_key: string;
  };
  enrolment_token: {
    id: string;
    domain: string;
    /** SHA-256 of the secret, in hexadecimal digits. */
    secret_hash: string;
    /** Unix time (ms); 0: never. */
    expires_ms: Int64;
    /** 0 or 1. */
    ended: Int64;
  };
  host_certificate: {
    /** Serial number, in hexadecimal digits. */
    serial: string;
    domain: string;
    host_id: string;
    /** SHA-256 of the public key, in hexadecimal digits. */
    key_hash: string;
    /** SHA-256 of the certificate, in hexadecimal digits. */
    certificate_hash: string;
    /** The certificate (DER), in hexadecimal digits. */
    certificate: string;
    /** The token that it was given for. */
    token: string;
    /** 0: in force; 1: the host was removed; 2: it was revoked. */
    ended: Int64;
    /** Counts up over the whole table with each change: who has seen n asks for those after it. */
    revision: Int64;
  };
  /** Hosts of a domain that hold a certificate. */
  seat_count: {
    domain: string;
    hosts: Int64;
  };
  counter: {
    name: string;
    value: Int64;
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
  "002-identity": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable("authority")
        .addColumn("name", "text", (c) => c.primaryKey())
        .addColumn("certificate", "text", (c) => c.notNull())
        .addColumn("private_key", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("enrolment_token")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("domain", "text", (c) => c.notNull())
        .addColumn("secret_hash", "text", (c) => c.notNull())
        .addColumn("expires_ms", "bigint", (c) => c.notNull())
        .addColumn("ended", "bigint", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("host_certificate")
        .addColumn("serial", "text", (c) => c.primaryKey())
        .addColumn("domain", "text", (c) => c.notNull())
        .addColumn("host_id", "text", (c) => c.notNull())
        .addColumn("key_hash", "text", (c) => c.notNull())
        .addColumn("certificate_hash", "text", (c) => c.notNull())
        .addColumn("certificate", "text", (c) => c.notNull())
        .addColumn("token", "text", (c) => c.notNull())
        .addColumn("ended", "bigint", (c) => c.notNull())
        .addColumn("revision", "bigint", (c) => c.notNull())
        .execute();
      await db.schema
        .createIndex("host_certificate_host")
        .on("host_certificate")
        .columns(["domain", "host_id"])
        .execute();
      await db.schema
        .createIndex("host_certificate_revision")
        .on("host_certificate")
        .column("revision")
        .execute();
      await db.schema
        .createTable("seat_count")
        .addColumn("domain", "text", (c) => c.primaryKey())
        .addColumn("hosts", "bigint", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("counter")
        .addColumn("name", "text", (c) => c.primaryKey())
        .addColumn("value", "bigint", (c) => c.notNull())
        .execute();
    },
  },
};
