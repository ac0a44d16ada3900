/**
 * Certificates of hosts: who holds which, and who has lost his.
 *
 * Problem: of a thousand hosts that enrol at once on ten seats, ten may, however many servers answer
 * them; and a certificate that ends must come to light at every server. Approach: one transaction takes
 * a seat by counting up a row that stands below the limit, so that the next one waits for it; and every
 * change bears the next number of one counter, so that a server asks for what came after the last it
 * has seen. The counter's row is held until its transaction ends: no number becomes visible before a
 * smaller one.
 *
 * A host that asks again with the same key, because the answer was lost, gets what it was given.
 */
import { failpoint } from "@ttcs/units";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Attempt } from "./attempt.ts";
import type { StoreResult } from "./result.ts";
import type { Tables } from "./schema.ts";

/** Hashes, serial and certificate (DER) are hexadecimal digits. */
export interface NewCertificate {
  readonly serial: string;
  readonly domain: string;
  readonly hostId: string;
  readonly keyHash: string;
  readonly certificateHash: string;
  readonly certificate: string;
  /** Id of the token that it is given for. */
  readonly token: string;
}

/** A certificate as it stands in the store. */
export interface CertificateRow extends NewCertificate {
  readonly ended: boolean;
  readonly revision: bigint;
}

/** What came of an enrolment. */
export type EnrolmentAnswer =
  | { readonly kind: "enrolled"; readonly certificate: CertificateRow }
  /** All seats are taken. */
  | { readonly kind: "full" }
  /** The token has ended in the meantime. */
  | { readonly kind: "token-ended" }
  /** Another key speaks for this host. */
  | { readonly kind: "taken" }
  /** The host was revoked, and asks with the token that it had then. */
  | { readonly kind: "barred" };

/** "removed": the machine is gone or made anew. "revoked": its key may be in wrong hands. */
export type EndKind = "removed" | "revoked";

/** See the module head. */
export interface CertificateStore {
  /** @param seats how many hosts of the domain may hold one; undefined: any number */
  enrol(row: NewCertificate, seats: number | undefined): Promise<StoreResult<EnrolmentAnswer>>;
  /** All that changed after `revision`, in order, at most `limit`. */
  since(revision: bigint, limit: number): Promise<StoreResult<readonly CertificateRow[]>>;
  /** Those that are in force. */
  list(): Promise<StoreResult<readonly CertificateRow[]>>;
  /** Ends the host's certificate and frees its seat. False: it holds none. */
  end(domain: string, hostId: string, kind: EndKind): Promise<StoreResult<boolean>>;
}

type Tx = Transaction<Tables>;

/** Column "ended" of a certificate that is not in force. */
const REMOVED = 1;
const REVOKED = 2;

/** Certificates in an SQL database. */
export function sqlCertificateStore(db: Kysely<Tables>, attempt: Attempt): CertificateStore {
  return {
    enrol: (row, seats) =>
      attempt(async () => {
        failpoint("store.enrol.before");
        const answer = await db.transaction().execute((tx) => enrol(tx, row, seats));
        failpoint("store.enrol.after");
        return answer;
      }),
    since: (revision, limit) =>
      attempt(async () => {
        const query = db.selectFrom("host_certificate").selectAll();
        const rows = await query
          .where("revision", ">", revision)
          .orderBy("revision")
          .limit(limit)
          .execute();
        return rows.map(certificateOf);
      }),
    list: () =>
      attempt(async () => {
        const query = db.selectFrom("host_certificate").selectAll().where("ended", "=", 0);
        const rows = await query.orderBy("domain").orderBy("host_id").execute();
        return rows.map(certificateOf);
      }),
    end: (domain, hostId, kind) =>
      attempt(() => db.transaction().execute((tx) => end(tx, domain, hostId, kind))),
  };
}

async function enrol(
  tx: Tx,
  row: NewCertificate,
  seats: number | undefined,
): Promise<EnrolmentAnswer> {
  const { domain, hostId } = row;
  // The first statement writes: whoever comes second waits here.
  await lockSeats(tx, domain);
  const token = tx.selectFrom("enrolment_token").select("ended").where("id", "=", row.token);
  const found = await token.executeTakeFirst();
  if (!found || Number(found.ended) !== 0) return { kind: "token-ended" };
  const holder = await inForce(tx, domain, hostId);
  if (holder) {
    const isSame = holder.keyHash === row.keyHash;
    return isSame ? { kind: "enrolled", certificate: holder } : { kind: "taken" };
  }
  if (await isBarred(tx, row)) return { kind: "barred" };
  let taking = tx.updateTable("seat_count").where("domain", "=", domain);
  if (seats !== undefined) taking = taking.where("hosts", "<", seats);
  const taken = await taking.set((e) => ({ hosts: e("hosts", "+", 1) })).executeTakeFirst();
  if (taken.numUpdatedRows === 0n) return { kind: "full" };
  const revision = await nextRevision(tx);
  const values = {
    serial: row.serial,
    domain,
    host_id: hostId,
    key_hash: row.keyHash,
    certificate_hash: row.certificateHash,
    certificate: row.certificate,
    token: row.token,
    ended: 0,
    revision,
  };
  await tx.insertInto("host_certificate").values(values).execute();
  return { kind: "enrolled", certificate: { ...row, ended: false, revision } };
}

async function end(tx: Tx, domain: string, hostId: string, kind: EndKind): Promise<boolean> {
  await lockSeats(tx, domain);
  const holder = await inForce(tx, domain, hostId);
  if (!holder) return false;
  const revision = await nextRevision(tx);
  await tx
    .updateTable("host_certificate")
    .where("serial", "=", holder.serial)
    .set({ ended: kind === "revoked" ? REVOKED : REMOVED, revision })
    .execute();
  await tx
    .updateTable("seat_count")
    .where("domain", "=", domain)
    .set((e) => ({ hosts: e("hosts", "-", 1) }))
    .execute();
  return true;
}

/** Holds the domain's row until the transaction ends; makes it where there is none. */
async function lockSeats(tx: Tx, domain: string): Promise<void> {
  await sql`
    insert into seat_count (domain, hosts) values (${domain}, 0)
    on conflict (domain) do update set hosts = seat_count.hosts
  `.execute(tx);
}

async function inForce(
  tx: Tx,
  domain: string,
  hostId: string,
): Promise<CertificateRow | undefined> {
  const query = tx.selectFrom("host_certificate").selectAll().where("domain", "=", domain);
  const row = await query.where("host_id", "=", hostId).where("ended", "=", 0).executeTakeFirst();
  return row && certificateOf(row);
}

async function isBarred(tx: Tx, { domain, hostId, token }: NewCertificate): Promise<boolean> {
  const query = tx.selectFrom("host_certificate").select("serial").where("domain", "=", domain);
  const revoked = query.where("host_id", "=", hostId).where("token", "=", token);
  return (await revoked.where("ended", "=", REVOKED).executeTakeFirst()) !== undefined;
}

async function nextRevision(tx: Tx): Promise<bigint> {
  const { rows } = await sql<{ value: bigint | number | string }>`
    insert into counter (name, value) values ('certificate', 1)
    on conflict (name) do update set value = counter.value + 1 returning value
  `.execute(tx);
  return BigInt(rows[0].value);
}

function certificateOf(row: Tables["host_certificate"]): CertificateRow {
  return {
    serial: row.serial,
    domain: row.domain,
    hostId: row.host_id,
    keyHash: row.key_hash,
    certificateHash: row.certificate_hash,
    certificate: row.certificate,
    token: row.token,
    ended: Number(row.ended) !== 0,
    revision: BigInt(row.revision),
  };
}
