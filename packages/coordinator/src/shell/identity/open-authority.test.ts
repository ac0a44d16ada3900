import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "@ttcs/store";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { openAuthority } from "./open-authority.ts";

const dir = mkdtempSync(join(tmpdir(), "ttcs-authority-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let count = 0;
function newStore(): Store {
  const store = openStore(`sqlite:${join(dir, `${count++}.db`)}`);
  onTestFinished(() => store.close());
  return store;
}
const quiet = { waiting: () => {} };

test("the first server makes authority and key file, readable by its owner alone; the next one finds both", async () => {
  const store = newStore();
  const keyFile = join(dir, "new folder", "authority.key");
  const first = await openAuthority(store, keyFile, quiet);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  const second = await openAuthority(store, keyFile, quiet);
  expect(second.fingerprint).toBe(first.fingerprint);
});

test("two servers that begin at once with one key file share one authority", async () => {
  const store = newStore();
  const keyFile = join(dir, "shared.key");
  const both = await Promise.all([
    openAuthority(store, keyFile, quiet),
    openAuthority(store, keyFile, quiet),
  ]);
  expect(both[0].fingerprint).toBe(both[1].fingerprint);
});

test("a key file that is missing, another one, or none is named, and no other authority is made", async () => {
  const store = newStore();
  const keyFile = join(dir, "right.key");
  const { fingerprint } = await openAuthority(store, keyFile, quiet);
  const cases: [string, string][] = [
    [join(dir, "absent.key"), "absent.key"],
    [join(dir, "other.key"), "does not open its private key"],
    [join(dir, "junk.key"), "64 hexadecimal digits"],
  ];
  writeFileSync(cases[1][0], "00".repeat(32));
  writeFileSync(cases[2][0], "junk");
  for (const [file, text] of cases) {
    await expect(openAuthority(store, file, quiet)).rejects.toThrow(text);
  }
  expect((await openAuthority(store, keyFile, quiet)).fingerprint).toBe(fingerprint);
  expect(readFileSync(cases[2][0], "utf8")).toBe("junk");
});

test("a database that does not answer yet is waited for, and said", async () => {
  const store = newStore();
  const said: string[] = [];
  let tries = 0;
  const late = {
    ...store,
    authority: {
      ...store.authority,
      read: async () =>
        ++tries < 3 ? ({ ok: false, reason: "gone" } as const) : store.authority.read(),
    },
  };
  const watch = { waiting: (reason: string) => said.push(reason) };
  await openAuthority(late, join(dir, "late.key"), watch);
  expect(said).toEqual(["gone", "gone"]);
});
