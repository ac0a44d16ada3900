/**
 * PostgreSQL through `pg`, so that a database that hangs holds up nobody.
 *
 * Connecting, the server's side of a statement and our side of it each have a limit. A connection on
 * which a statement was given up is thrown away: the next one must not queue behind it.
 */
import { PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import { Pool } from "pg";
import { CALL_MS_MAX } from "./attempt.ts";

/** Connections of one server: its calls are short, and one that hangs must not stop the others. */
const CONNECTIONS_MAX = 8;

/** The dialect of a connection URL. */
export function postgresDialect(url: string): PostgresDialect {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CALL_MS_MAX,
    query_timeout: CALL_MS_MAX,
    statement_timeout: CALL_MS_MAX,
    application_name: "ttcs",
  });
  // A connection that breaks while nobody uses it is no event: the next call opens another.
  pool.on("error", () => {});
  // Nor is one that breaks between two statements of its user: the next statement fails, and tells.
  pool.on("connect", (client) => client.on("error", () => {}));
  const guarded: PostgresPool = {
    connect: async () => guardedClient((await pool.connect()) as unknown as ReleasableClient),
    end: () => pool.end(),
    options: pool.options as unknown as PostgresPool["options"],
    Client: (pool as unknown as PostgresPool).Client,
  } as PostgresPool;
  return new PostgresDialect({ pool: guarded });
}

/** A client of the pool, which `release(true)` throws away. */
interface ReleasableClient extends Omit<PostgresPoolClient, "release"> {
  release(discard?: boolean): void;
}

function guardedClient(client: ReleasableClient): PostgresPoolClient {
  let broken = false;
  const query = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
  return {
    query: async (...given: unknown[]) => {
      try {
        return await query(...given);
      } catch (error) {
        // An error that the server told leaves the connection in order.
        broken ||= !("severity" in (error as object));
        throw error;
      }
    },
    release: () => client.release(broken),
  } as unknown as PostgresPoolClient;
}
