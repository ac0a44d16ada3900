import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NewCertificate } from "./certificate-store.ts";
import type { StoreResult } from "./result.ts";
import { openStore, type Store } from "./store.ts";
import { postgresObstacle, startPostgres, type TestPostgres } from "./testing/postgres.ts";

const dir = mkdtempSync(join(tmpdir(), "ttcs-certificates-"));
let postgres: TestPostgres | undefined;

const obstacle = postgresObstacle();
if (obstacle) console.log(`certificates on PostgreSQL: ${obstacle}`);

const answerOf = <T>(result: StoreResult<T>): T => {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

let count = 0;
/** A domain that no other test uses, with a token. */
async function domainWithToken(store: Store): Promise<{ domain: string; token: string }> {
  const domain = `domain-${count++}`;
  const token = `token-${domain}`;
  answerOf(await store.tokens.add({ id: token, domain, secretHash: "5ec7e7", expiresMs: 0 }));
  return { domain, token };
}

const certificate = (
  given: { domain: string; token: string },
  hostId: string,
  key = hostId,
): NewCertificate => ({
  ...given,
  hostId,
  serial: `${given.domain}/${hostId}/${key}/${count++}`,
  keyHash: key,
  certificateHash: `hash of ${key}`,
  certificate: "00",
});

afterAll(() => {
  postgres?.remove();
  rmSync(dir, { recursive: true, force: true });
});

describe.each([
  { name: "sqlite", start: () => `sqlite:${join(dir, "store.db")}` },
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
  let one: Store;
  let two: Store;

  beforeAll(async () => {
    const url = await start();
    one = openStore(url);
    two = openStore(url);
    answerOf(await one.certificates.list());
  }, 60_000);
  afterAll(async () => {
    await one.close();
    await two.close();
  });

  test("of forty hosts that enrol at two servers at once on ten seats, ten hold one", async () => {
    const given = await domainWithToken(one);
    const answers: string[] = [];
    const enrol = async (store: Store, first: number) => {
      for (let host = first; host < 40; host += 4) {
        const row = certificate(given, `h${host}`);
        answers.push(answerOf(await store.certificates.enrol(row, 10)).kind);
      }
    };
    await Promise.all([enrol(one, 0), enrol(two, 1), enrol(one, 2), enrol(two, 3)]);
    expect(answers.filter((kind) => kind === "enrolled")).toHaveLength(10);
    expect(answers.filter((kind) => kind === "full")).toHaveLength(30);
    const held = answerOf(await one.certificates.list()).filter((r) => r.domain === given.domain);
    expect(held).toHaveLength(10);
  });

  test("a host that asks again with its key gets what it was given, with another key nothing", async () => {
    const given = await domainWithToken(one);
    const first = certificate(given, "h1", "key");
    expect(answerOf(await one.certificates.enrol(first, 1)).kind).toBe("enrolled");
    const again = answerOf(await two.certificates.enrol(certificate(given, "h1", "key"), 1));
    expect(again).toMatchObject({ kind: "enrolled", certificate: { serial: first.serial } });
    const other = certificate(given, "h1", "another key");
    expect(answerOf(await one.certificates.enrol(other, 2)).kind).toBe("taken");
  });

  test("a certificate that ends frees its seat, and its host may enrol anew", async () => {
    const given = await domainWithToken(one);
    answerOf(await one.certificates.enrol(certificate(given, "h1"), 1));
    expect(answerOf(await two.certificates.end(given.domain, "h1", "removed"))).toBe(true);
    expect(answerOf(await two.certificates.end(given.domain, "h1", "removed"))).toBe(false);
    const anew = certificate(given, "h1", "new key");
    expect(answerOf(await one.certificates.enrol(anew, 1)).kind).toBe("enrolled");
    expect(answerOf(await one.certificates.enrol(certificate(given, "h2"), 1)).kind).toBe("full");
  });

  test("a host that was revoked enrols with a new token only, and no other host is kept out", async () => {
    const given = await domainWithToken(one);
    answerOf(await one.certificates.enrol(certificate(given, "h1"), 2));
    expect(answerOf(await two.certificates.end(given.domain, "h1", "revoked"))).toBe(true);
    const anew = certificate(given, "h1", "new key");
    expect(answerOf(await one.certificates.enrol(anew, 2)).kind).toBe("barred");
    expect(answerOf(await one.certificates.enrol(certificate(given, "h2"), 2)).kind).toBe(
      "enrolled",
    );
    const token = `another token of ${given.domain}`;
    answerOf(await one.tokens.add({ ...given, id: token, secretHash: "00", expiresMs: 0 }));
    expect(answerOf(await one.certificates.enrol({ ...anew, token }, 2)).kind).toBe("enrolled");
  });

  test("nobody enrols with a token that has ended, or that there never was", async () => {
    const given = await domainWithToken(one);
    expect(answerOf(await one.tokens.end(given.token))).toBe(true);
    expect(answerOf(await one.tokens.end(given.token))).toBe(false);
    const late = certificate(given, "h1");
    expect(answerOf(await two.certificates.enrol(late, undefined)).kind).toBe("token-ended");
    const forged = certificate({ ...given, token: "no such token" }, "h1");
    expect(answerOf(await two.certificates.enrol(forged, undefined)).kind).toBe("token-ended");
    expect(answerOf(await one.tokens.find(given.token))?.ended).toBe(true);
  });

  test("whoever has seen a revision is told what changed after it, endings included, in order", async () => {
    const given = await domainWithToken(one);
    const before = answerOf(await two.certificates.since(0n, 10_000)).at(-1)?.revision ?? 0n;
    answerOf(await one.certificates.enrol(certificate(given, "a"), undefined));
    answerOf(await one.certificates.enrol(certificate(given, "b"), undefined));
    answerOf(await one.certificates.end(given.domain, "a", "removed"));
    const news = answerOf(await two.certificates.since(before, 10));
    expect(news.map((r) => [r.hostId, r.ended])).toEqual([
      ["b", false],
      ["a", true],
    ]);
    expect(news[0].revision < news[1].revision).toBe(true);
    expect(answerOf(await two.certificates.since(news[1].revision, 10))).toEqual([]);
  });

  test("two servers that make an authority at once share one", async () => {
    const own = (name: string) => ({ certificate: `certificate ${name}`, privateKey: name });
    const kept = await Promise.all([
      one.authority.keepFirst(own("one")),
      two.authority.keepFirst(own("two")),
    ]);
    const [a, b] = kept.map(answerOf);
    expect(a).toEqual(b);
    expect(answerOf(await two.authority.read())).toEqual(a);
  });
});
