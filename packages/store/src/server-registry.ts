/**
 * The servers that share a store: each counts a beat up, and whoever wants to know who lives watches
 * the beats on a monotonic clock of his own. No row bears a time.
 */
import type { Kysely } from "kysely";
import type { Attempt } from "./attempt.ts";
import type { StoreResult } from "./result.ts";
import type { Tables } from "./schema.ts";

/** A server as it stands in the store. */
export interface ServerRow {
  readonly id: string;
  /** Where agents reach it, "host:port". */
  readonly address: string;
  readonly beat: bigint;
}

/** See the module head. */
export interface ServerRegistry {
  /** Says that this server lives. */
  beat(id: string, address: string): Promise<StoreResult<void>>;
  list(): Promise<StoreResult<readonly ServerRow[]>>;
  /** Takes away a server: one that ends, or one whose beat has long stood still at `beat`. */
  remove(id: string, beat?: bigint): Promise<StoreResult<void>>;
}

/** The registry in an SQL database. */
export function sqlServerRegistry(db: Kysely<Tables>, attempt: Attempt): ServerRegistry {
  return {
    beat: (id, address) =>
      attempt(async () => {
        const insert = db.insertInto("server").values({ id, address, beat: 1n });
        await insert
          .onConflict((c) =>
            c.column("id").doUpdateSet((e) => ({ address, beat: e("server.beat", "+", 1n) })),
          )
          .execute();
      }),
    list: () =>
      attempt(async () => {
        const rows = await db.selectFrom("server").selectAll().orderBy("id").execute();
        return rows.map(({ id, address, beat }) => ({ id, address, beat: BigInt(beat) }));
      }),
    remove: (id, beat) =>
      attempt(async () => {
        const query = db.deleteFrom("server").where("id", "=", id);
        await (beat === undefined ? query : query.where("beat", "=", beat)).execute();
      }),
  };
}
