// First: the library behind a later one wants it.
import "reflect-metadata";
import { createHash, createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { COORDINATOR_NAME } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { Authority, newAuthority } from "./authority.ts";

const PASSPHRASE = "passphrase";
const row = await newAuthority(PASSPHRASE);
const authority = await Authority.open(row, PASSPHRASE);
const issuer = new X509Certificate(authority.certificate);
const EC = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

async function requestOf(keys: webcrypto.CryptoKeyPair): Promise<Uint8Array> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=somebody",
    keys,
    signingAlgorithm: SIGNATURE,
  });
  return new Uint8Array(request.rawData);
}
const newKeys = () =>
  webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;

test("certificates are valid from 1970 to the end of 9999 and chain to the authority", async () => {
  const { certificateChain, privateKey } = await authority.identifyServer();
  const server = new X509Certificate(certificateChain);
  const key = (await Authority.readRequest(await requestOf(await newKeys())))!;
  const { der } = await authority.identifyHost(key, "default", "h1");
  const host = new X509Certificate(der);
  for (const certificate of [issuer, server, host]) {
    expect(new Date(certificate.validFrom).getTime()).toBe(0);
    expect(new Date(certificate.validTo).toISOString()).toBe("9999-12-31T23:59:59.000Z");
    expect(certificate.verify(issuer.publicKey)).toBe(true);
  }
  expect(server.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  expect(authority.fingerprint).toBe(
    `sha256:${createHash("sha256").update(issuer.raw).digest("hex")}`,
  );
});

test("no host's certificate passes for a coordinator's, whatever the host calls itself", async () => {
  const server = new X509Certificate((await authority.identifyServer()).certificateChain);
  expect(server.checkHost(COORDINATOR_NAME)).toBe(COORDINATOR_NAME);
  const key = (await Authority.readRequest(await requestOf(await newKeys())))!;
  for (const name of [COORDINATOR_NAME, `x, DNS:${COORDINATOR_NAME}`, `"\n${COORDINATOR_NAME}`]) {
    const { der } = await authority.identifyHost(key, name, name);
    expect(new X509Certificate(der).checkHost(COORDINATOR_NAME)).toBeUndefined();
    expect(new X509Certificate(der).ca).toBe(false);
  }
});

test("serials are positive, 128 bits long and never the same", async () => {
  const key = (await Authority.readRequest(await requestOf(await newKeys())))!;
  const serials = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const { serial, der } = await authority.identifyHost(key, "default", "h1");
    expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
    expect(new X509Certificate(der).serialNumber.toLowerCase()).toBe(serial);
    serials.add(serial);
  }
  expect(serials.size).toBe(50);
});

test("a request that its key has not signed, of another kind, or that is none, is refused", async () => {
  const good = await requestOf(await newKeys());
  expect(await Authority.readRequest(good)).toBeDefined();
  for (const at of [good.length - 1, 60]) {
    const bad = Uint8Array.from(good);
    bad[at] ^= 1;
    expect(await Authority.readRequest(bad)).toBeUndefined();
  }
  const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048 };
  const keys = await webcrypto.subtle.generateKey(
    { ...rsa, publicExponent: Uint8Array.of(1, 0, 1) },
    true,
    ["sign", "verify"],
  );
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=somebody",
    keys,
    signingAlgorithm: rsa,
  });
  expect(await Authority.readRequest(new Uint8Array(request.rawData))).toBeUndefined();
  expect(await Authority.readRequest(new Uint8Array(0))).toBeUndefined();
  expect(await Authority.readRequest(new Uint8Array(100_000))).toBeUndefined();
});

test("what lies in the database opens with the passphrase only", async () => {
  expect(row.privateKey).toContain("BEGIN ENCRYPTED PRIVATE KEY");
  await expect(Authority.open(row, "another")).rejects.toThrow();
});
