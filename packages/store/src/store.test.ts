import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { armFailpoints, type FailpointName } from "@ttcs/units";
import { Kysely, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresDialect } from "./postgres.ts";
import type { StoreResult } from "./result.ts";
import { openStore, type Store } from "./store.ts";
import { postgresObstacle, startPostgres, type TestPostgres } from "./testing/postgres.ts";

const dir = mkdtempSync(join(tmpdir(), "ttcs-store-"));
let postgres: TestPostgres | undefined;

const obstacle = postgresObstacle();
if (obstacle) console.log(`store on PostgreSQL: ${obstacle}`);

const answerOf = <T>(result: StoreResult<T>): T => {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

const claim = (holder: string, term: bigint) => ({ holder, term, addresses: ["10.0.0.1:6176"] });

let count = 0;
/** A domain that no other test uses. */
const domainName = () => `domain-${count++}`;

describe.each([
  { name: "sqlite", start: () => `sqlite:${join(dir, "new-folder", "store.db")}` },
  ...(obstacle
    ? []
    : [
        {
          name: "postgres",
          start: async () => {
            postgres = await startPostgres();
            return postgres.url;
          },
        },
      ]),
])("$name", ({ start }) => {
  let url = "";
  let one: Store;
  let two: Store;

  beforeAll(async () => {
    url = await start();
    one = openStore(url);
    two = openStore(url);
  }, 60_000);
  afterAll(async () => {
    await one.close();
    await two.close();
  });

  test("two servers that start at once both find the tables", async () => {
    const found = await Promise.all([one.leases.read("none"), two.leases.read("none")]);
    expect(found).toEqual([
      { ok: true, value: undefined },
      { ok: true, value: undefined },
    ]);
  });

  test("of two that take a free lease at once, one has it", async () => {
    const domain = domainName();
    const taken = await Promise.all([
      one.leases.take(domain, undefined, claim("a", 1n)),
      two.leases.take(domain, undefined, claim("b", 1n)),
    ]);
    expect(taken.map(answerOf).sort()).toEqual([false, true]);
    const row = answerOf(await one.leases.read(domain));
    expect(row?.holder).toBe(answerOf(taken[0]) ? "a" : "b");
    expect(row).toMatchObject({ term: 1n, renewals: 0n, released: false });
    expect(row?.addresses).toEqual(["10.0.0.1:6176"]);
  });

  test("a lease that was renewed after it was looked at cannot be taken", async () => {
    const domain = domainName();
    await one.leases.take(domain, undefined, claim("a", 1n));
    const seen = answerOf(await two.leases.read(domain))!;
    expect(answerOf(await one.leases.renew(domain, "a", 1n))).toBe(true);
    expect(answerOf(await two.leases.take(domain, seen, claim("b", 2n)))).toBe(false);
    const again = answerOf(await two.leases.read(domain))!;
    expect(again.renewals).toBe(1n);
    expect(answerOf(await two.leases.take(domain, again, claim("b", 2n)))).toBe(true);
  });

  test("who lost the lease can neither renew nor release it", async () => {
    const domain = domainName();
    await one.leases.take(domain, undefined, claim("a", 1n));
    const seen = answerOf(await two.leases.read(domain))!;
    await two.leases.take(domain, seen, claim("b", 2n));
    expect(answerOf(await one.leases.renew(domain, "a", 1n))).toBe(false);
    expect(answerOf(await one.leases.release(domain, "a", 1n))).toBe(false);
    expect(answerOf(await one.leases.read(domain))).toMatchObject({ holder: "b", released: false });
  });

  test("a released lease says so and is renewed no more", async () => {
    const domain = domainName();
    await one.leases.take(domain, undefined, claim("a", 7n));
    expect(answerOf(await one.leases.release(domain, "a", 7n))).toBe(true);
    expect(answerOf(await two.leases.read(domain))?.released).toBe(true);
    expect(answerOf(await one.leases.renew(domain, "a", 7n))).toBe(false);
  });

  test("a call that fails on its way has changed nothing; one whose answer is lost has", async () => {
    const domain = domainName();
    const failing = async <T>(name: FailpointName, call: () => Promise<StoreResult<T>>) => {
      const hands = { kill: () => undefined, sleep: () => undefined };
      armFailpoints([{ name, deed: "error", ms: 0, visit: 1 }], hands);
      const result = await call();
      armFailpoints([], hands);
      expect(result).toEqual({ ok: false, reason: `failpoint ${name}` });
      return answerOf(await two.leases.read(domain));
    };
    const take = () => one.leases.take(domain, undefined, claim("a", 1n));
    const renew = () => one.leases.renew(domain, "a", 1n);
    const release = () => one.leases.release(domain, "a", 1n);
    const write = () => one.memories.write(domain, "a", { term: 1n, document: "kept" });
    expect(await failing("store.lease.take.before", take)).toBe(undefined);
    expect(await failing("store.lease.take.after", take)).toMatchObject({ term: 1n });
    expect(await failing("store.lease.renew.before", renew)).toMatchObject({ renewals: 0n });
    expect(await failing("store.lease.renew.after", renew)).toMatchObject({ renewals: 1n });
    await failing("store.memory.write.before", write);
    expect(answerOf(await two.memories.read(domain))).toBe(undefined);
    await failing("store.memory.write.after", write);
    expect(answerOf(await two.memories.read(domain))?.document).toBe("kept");
    await failing("store.memory.read", () => one.memories.read(domain));
    expect(await failing("store.lease.release.before", release)).toMatchObject({ released: false });
    expect(await failing("store.lease.release.after", release)).toMatchObject({ released: true });
  });

  test("terms keep all their digits", async () => {
    const domain = domainName();
    const term = 2n ** 48n + 1n;
    await one.leases.take(domain, undefined, claim("a", term));
    expect(answerOf(await two.leases.read(domain))?.term).toBe(term);
  });

  test("the memory of an older term writes no row and says so", async () => {
    const domain = domainName();
    const { leases, memories } = one;
    expect(answerOf(await memories.read(domain))).toBe(undefined);
    await leases.take(domain, undefined, claim("a", 1n));
    expect(answerOf(await memories.write(domain, "a", { term: 1n, document: "first" }))).toBe(true);
    expect(answerOf(await memories.write(domain, "a", { term: 1n, document: "new" }))).toBe(true);
    await two.leases.take(domain, { term: 1n, renewals: 0n }, claim("b", 2n));
    expect(answerOf(await memories.write(domain, "a", { term: 1n, document: "old" }))).toBe(false);
    expect(answerOf(await memories.write(domain, "a", { term: 2n, document: "old" }))).toBe(false);
    expect(answerOf(await two.memories.read(domain))).toEqual({ term: 1n, document: "new" });
    expect(answerOf(await two.memories.write(domain, "b", { term: 2n, document: "b" }))).toBe(true);
    expect(answerOf(await memories.read(domain))).toEqual({ term: 2n, document: "b" });
    // The same holder in a later term.
    await two.leases.take(domain, { term: 2n, renewals: 0n }, claim("b", 9n));
    expect(answerOf(await memories.write(domain, "b", { term: 2n, document: "c" }))).toBe(false);
    expect(answerOf(await memories.read(domain))).toEqual({ term: 2n, document: "b" });
  });

  test("servers count their beats, and one that has ended is taken away", async () => {
    await one.servers.beat("s1", "10.0.0.1:6176");
    await two.servers.beat("s2", "10.0.0.2:6176");
    await one.servers.beat("s1", "10.0.0.9:6176");
    expect(answerOf(await two.servers.list())).toEqual([
      { id: "s1", address: "10.0.0.9:6176", beat: 2n },
      { id: "s2", address: "10.0.0.2:6176", beat: 1n },
    ]);
    await two.servers.remove("s1", 1n);
    expect(answerOf(await two.servers.list())).toHaveLength(2);
    await two.servers.remove("s1", 2n);
    await two.servers.remove("s2");
    expect(answerOf(await one.servers.list())).toEqual([]);
  });
});

test("a file that another process has locked holds up nobody but its own calls", async () => {
  const path = join(dir, "locked.db");
  const store = openStore(`sqlite:${path}`);
  await store.leases.take("x", undefined, claim("a", 1n));
  const other = new DatabaseSync(path);
  other.exec("BEGIN EXCLUSIVE");
  let turns = 0;
  const turning = setInterval(() => turns++, 10);
  const renewed = await store.leases.renew("x", "a", 1n);
  clearInterval(turning);
  console.log(`while the file was locked this thread went on: ${turns} turns of 10 ms`);
  expect(renewed).toEqual({ ok: false, reason: "database is locked" });
  expect(turns).toBeGreaterThan(5);
  other.exec("ROLLBACK");
  other.close();
  expect(answerOf(await store.leases.renew("x", "a", 1n))).toBe(true);
  await store.close();
});

test("calls that have waited for too long are never begun, for nobody counts on them any more", async () => {
  const path = join(dir, "queue.db");
  const store = openStore(`sqlite:${path}`);
  await store.leases.take("x", undefined, claim("a", 1n));
  const other = new DatabaseSync(path);
  other.exec("BEGIN EXCLUSIVE");
  const domains = Array.from({ length: 8 }, (_, i) => `late-${i}`);
  const taken = await Promise.all(
    domains.map((domain) => store.leases.take(domain, undefined, claim("a", 1n))),
  );
  // The last one that was begun in time is given up by the file meanwhile.
  await sleep(700);
  other.exec("ROLLBACK");
  other.close();
  expect(taken.map((t) => t.ok)).toEqual(domains.map(() => false));
  // Those of the queue's end were not even asked for when the file was free again.
  for (const domain of domains.slice(4)) {
    expect(answerOf(await store.leases.read(domain))).toBeUndefined();
  }
  await store.close();
});

test.skipIf(obstacle !== undefined)(
  "a database that hangs or is gone is a result, and a database that is back is used again",
  async () => {
    const store = openStore(postgres!.url);
    expect((await store.leases.read("x")).ok).toBe(true);
    postgres!.pause();
    const hung = await Promise.all([1, 2, 3].map(() => store.leases.renew("x", "a", 1n)));
    postgres!.resume();
    for (const result of hung) expect(result).toMatchObject({ ok: false });
    postgres!.stop();
    expect(await store.leases.read("x")).toMatchObject({ ok: false });
    postgres!.start();
    // A connection that the stop has cut is found out by the first call that uses it.
    await expect
      .poll(() => store.leases.read("x"), { timeout: 20_000 })
      .toEqual({
        ok: true,
        value: undefined,
      });
    await store.close();
  },
  60_000,
);

test.skipIf(obstacle !== undefined)(
  "a connection that breaks between two statements of its user ends no process",
  async () => {
    const database = new Kysely<object>({ dialect: postgresDialect(postgres!.url) });
    const told = database.transaction().execute(async (transaction) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(
        transaction,
      );
      await sql`select pg_terminate_backend(${rows[0].pid})`.execute(database);
      // Long enough for the end of the connection to arrive while nobody waits for an answer.
      await sleep(300);
      await sql`select 1`.execute(transaction);
    });
    await expect(told).rejects.toThrow();
    await database.destroy();
  },
  60_000,
);

test("a folder that cannot be made is a result too", async () => {
  const file = join(dir, "file");
  writeFileSync(file, "");
  const store = openStore(`sqlite:${file}/folder/store.db`);
  expect(await store.leases.read("x")).toMatchObject({ ok: false });
});

test("a URL of another kind is refused without telling its password", () => {
  expect(() => openStore("mysql://root:secret@db/x")).toThrow(/"mysql" is no database/);
});

afterAll(() => {
  postgres?.remove();
  rmSync(dir, { recursive: true, force: true });
});
