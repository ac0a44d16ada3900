import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { TestAuthority } from "../../testing/authority.ts";
import { identityPath, readIdentity, writeIdentity } from "./identity-file.ts";

const authority = await TestAuthority.make();
const { certificateHash: _, ...identity } = await authority.identify("h1");
const owner = { domain: "default", hostId: "h1", caFingerprint: authority.fingerprint };

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "ttcs-identity-file-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "state");
}

test("what was written is read again, and only its owner may read it", () => {
  const folder = newFolder();
  const faults: string[] = [];
  expect(readIdentity(folder, owner, (f) => faults.push(f))).toBeUndefined();
  writeIdentity(folder, owner, identity);
  expect(statSync(identityPath(folder)).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readIdentity(folder, owner, (f) => faults.push(f))).toEqual(identity);
  expect(faults).toEqual([]);
});

test("a file cut off at any byte, or with another's key, is none; it is kept aside and named", async () => {
  const folder = newFolder();
  writeIdentity(folder, owner, identity);
  const path = identityPath(folder);
  const text = readFileSync(path, "utf8");
  const stolen = await authority.identify("h2");
  const bad = [
    ...Array.from({ length: 40 }, (_, i) => text.slice(0, Math.floor((i * text.length) / 41))),
    JSON.stringify({ ...JSON.parse(text), privateKey: stolen.privateKey }),
    JSON.stringify({ ...JSON.parse(text), version: 2 }),
  ];
  for (const content of bad) {
    const faults: string[] = [];
    writeFileSync(path, content);
    expect(readIdentity(folder, owner, (f) => faults.push(f))).toBeUndefined();
    expect(faults).toEqual([expect.stringContaining("this host enrols anew")]);
    expect(readdirSync(folder)).toEqual(["identity.json.old"]);
  }
});

test("the identity of another host, domain or authority is none", async () => {
  const other = await TestAuthority.make();
  for (const [changes, text] of [
    [{ hostId: "h2" }, 'belongs to host "h1"'],
    [{ domain: "other" }, 'of domain "default"'],
    [{ caFingerprint: other.fingerprint }, "another authority"],
  ] as const) {
    const folder = newFolder();
    writeIdentity(folder, owner, identity);
    const faults: string[] = [];
    const read = readIdentity(folder, { ...owner, ...changes }, (f) => faults.push(f));
    expect([read, faults]).toEqual([undefined, [expect.stringContaining(text)]]);
  }
});
