/**
 * Who leads a domain: one row per domain, changed only by compare-and-swap.
 *
 * The row bears no wall clock. Its holder counts renewals up, whoever wants it watches that counter on
 * a monotonic clock of his own, and takes the row only as he saw it last: a renewal in between makes
 * the taking fail. Each taking makes a new term, which everything that the holder says and writes
 * carries.
 */
import { failpoint } from "@ttcs/units";
import type { Kysely } from "kysely";
import type { Attempt } from "./attempt.ts";
import type { StoreResult } from "./result.ts";
import type { Tables } from "./schema.ts";

/** The lease of a domain as it stands in the store. */
export interface LeaseRow {
  /** One run of one server: a server that starts again is another holder. */
  readonly holder: string;
  /** Where agents reach the holder, "host:port". */
  readonly addresses: readonly string[];
  /** Fencing number of this leadership. */
  readonly term: bigint;
  /** Counts up with each renewal. */
  readonly renewals: bigint;
  /** The holder has given it back: anybody may take it at once. */
  readonly released: boolean;
}

/** Who wants a lease, and as what. */
export interface LeaseClaim {
  readonly holder: string;
  readonly addresses: readonly string[];
  readonly term: bigint;
}

/** See the module head. Changes answer with true when the row was as expected and is changed. */
export interface LeaseStore {
  read(domain: string): Promise<StoreResult<LeaseRow | undefined>>;
  /** Takes the lease if the row is still as seen: of that term and renewal, or absent. */
  take(
    domain: string,
    seen: Pick<LeaseRow, "term" | "renewals"> | undefined,
    claim: LeaseClaim,
  ): Promise<StoreResult<boolean>>;
  renew(domain: string, holder: string, term: bigint): Promise<StoreResult<boolean>>;
  release(domain: string, holder: string, term: bigint): Promise<StoreResult<boolean>>;
}

/** Leases in an SQL database. */
export function sqlLeaseStore(db: Kysely<Tables>, attempt: Attempt): LeaseStore {
  const held = (domain: string, holder: string, term: bigint) =>
    db
      .updateTable("lease")
      .where("domain", "=", domain)
      .where("holder", "=", holder)
      .where("term", "=", term);
  return {
    read: (domain) =>
      attempt(async () => {
        const query = db.selectFrom("lease").selectAll().where("domain", "=", domain);
        const row = await query.executeTakeFirst();
        if (!row) return undefined;
        return {
          holder: row.holder,
          addresses: JSON.parse(row.addresses) as string[],
          term: BigInt(row.term),
          renewals: BigInt(row.renewals),
          released: Number(row.released) !== 0,
        };
      }),
    take: (domain, seen, { holder, addresses, term }) =>
      attempt(async () => {
        failpoint("store.lease.take.before");
        const row = {
          holder,
          addresses: JSON.stringify(addresses),
          term,
          renewals: 0n,
          released: 0,
        };
        if (!seen) {
          const insert = db.insertInto("lease").values({ domain, ...row });
          const result = await insert.onConflict((c) => c.doNothing()).executeTakeFirst();
          return took((result.numInsertedOrUpdatedRows ?? 0n) > 0n);
        }
        const update = db
          .updateTable("lease")
          .set(row)
          .where("domain", "=", domain)
          .where("term", "=", seen.term)
          .where("renewals", "=", seen.renewals);
        return took((await update.executeTakeFirst()).numUpdatedRows > 0n);
      }),
    renew: (domain, holder, term) =>
      attempt(async () => {
        failpoint("store.lease.renew.before");
        const update = held(domain, holder, term)
          .where("released", "=", 0)
          .set((e) => ({ renewals: e("renewals", "+", 1n) }));
        const { numUpdatedRows } = await update.executeTakeFirst();
        failpoint("store.lease.renew.after");
        return numUpdatedRows > 0n;
      }),
    release: (domain, holder, term) =>
      attempt(async () => {
        failpoint("store.lease.release.before");
        const update = held(domain, holder, term).set({ released: 1 });
        const { numUpdatedRows } = await update.executeTakeFirst();
        failpoint("store.lease.release.after");
        return numUpdatedRows > 0n;
      }),
  };
}

function took(isTaken: boolean): boolean {
  failpoint("store.lease.take.after");
  return isTaken;
}
