/**
 * Opens a store: an embedded file, or a PostgreSQL database, with the same tables and the same small
 * interfaces over both.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { attempts } from "./attempt.ts";
import { type AuthorityStore, sqlAuthorityStore } from "./authority-store.ts";
import { type CertificateStore, sqlCertificateStore } from "./certificate-store.ts";
import { type DomainMemoryStore, sqlDomainMemoryStore } from "./domain-memory-store.ts";
import { type LeaseStore, sqlLeaseStore } from "./lease-store.ts";
import { postgresDialect } from "./postgres.ts";
import { migrations, type Tables } from "./schema.ts";
import { type ServerRegistry, sqlServerRegistry } from "./server-registry.ts";
import { sqliteDialect } from "./sqlite.ts";
import { sqlTokenStore, type TokenStore } from "./token-store.ts";

/** Two servers that start at once may meet in the making of the tables: one of them tries again. */
const MIGRATION_TRIES = 5;
const MIGRATION_PAUSE_MS = 100;

/** An open store. */
export interface Store {
  readonly leases: LeaseStore;
  readonly memories: DomainMemoryStore;
  readonly servers: ServerRegistry;
  readonly authority: AuthorityStore;
  readonly tokens: TokenStore;
  readonly certificates: CertificateStore;
  close(): Promise<void>;
}

/**
 * Opens the store of `url`: `sqlite:/path/of/file`, `sqlite::memory:` or `postgres://…`. Nothing is
 * asked of the database yet; the first call makes the tables.
 *
 * @throws RangeError when the URL is of neither kind
 */
export function openStore(url: string): Store {
  const db = new Kysely<Tables>({ dialect: dialectOf(url) });
  const attempt = attempts(() => migrate(db));
  return {
    leases: sqlLeaseStore(db, attempt),
    memories: sqlDomainMemoryStore(db, attempt),
    servers: sqlServerRegistry(db, attempt),
    authority: sqlAuthorityStore(db, attempt),
    tokens: sqlTokenStore(db, attempt),
    certificates: sqlCertificateStore(db, attempt),
    close: () => db.destroy(),
  };
}

function dialectOf(url: string) {
  if (url.startsWith("sqlite:")) return sqliteDialect(url.slice("sqlite:".length));
  if (/^postgres(ql)?:\/\//.test(url)) return postgresDialect(url);
  throw new RangeError(
    `"${url.split("://")[0]}" is no database: give sqlite:/path or postgres://…`,
  );
}

async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  for (let tries = 1; ; tries++) {
    const { error } = await migrator.migrateToLatest();
    if (error === undefined) return;
    if (tries === MIGRATION_TRIES) throw error;
    await sleep(MIGRATION_PAUSE_MS * tries);
  }
}
