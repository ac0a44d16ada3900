/**
 * The authority: vouches for servers and hosts with X.509 certificates of its own.
 *
 * Problem: a host may boot in 1970 or in 2099 and must still join, so no certificate may depend on the
 * time. Approach: all are valid from 1970 to the end of 9999 (RFC 5280, 4.1.2.5, "no well-defined
 * expiration date") and end by being named in the store. One authority serves all servers of a store;
 * its private key lies there encrypted with a passphrase that only the servers' key file has.
 *
 * What a certificate says of its holder is for people to read: who may speak for which host is looked
 * up by the certificate's hash. Only the *role* is read from it: a server's bears the name that agents
 * demand of whoever they dial as a coordinator, a host's bears another.
 */
// First: the library behind the next one wants it.
import "reflect-metadata";
import { createHash, createPrivateKey, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { COORDINATOR_NAME, hostName } from "@ttcs/protocol";
import type { AuthorityRow } from "@ttcs/store";

type CryptoKey = webcrypto.CryptoKey;

/** ECDSA on P-256: small, fast, and understood by every TLS library. */
const KEYS = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
const NOT_BEFORE = new Date(0);
const NOT_AFTER = new Date("9999-12-31T23:59:59Z");
/** Bytes of a serial number; the first bit is 0 so that it is a positive number (RFC 5280, 4.1.2.2). */
const SERIAL_BYTES = 16;
/** A PKCS #10 request for a P-256 key has some 200 bytes. */
const REQUEST_BYTES_MAX = 2_048;

x509.cryptoProvider.set(webcrypto);

/** A certificate that was just signed; hashes and serial in hexadecimal digits. */
export interface SignedCertificate {
  readonly der: Buffer;
  readonly serial: string;
  readonly certificateHash: string;
  readonly keyHash: string;
}

/** What a server presents, PEM: its certificate with the authority's behind it, and its key. */
export interface ServerIdentity {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** A new authority, its key encrypted with `passphrase`. */
export async function newAuthority(passphrase: string): Promise<AuthorityRow> {
  const keys = await webcrypto.subtle.generateKey(KEYS, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: "CN=TTCS authority",
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    keys: keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const encrypted = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase } as const;
  return { certificate: certificate.toString("pem"), privateKey: `${key.export(encrypted)}` };
}

/** See the module head. */
export class Authority {
  /** PEM. */
  readonly certificate: string;
  /** As it stands in an agent's configuration. */
  readonly fingerprint: string;
  readonly #issuer: x509.X509Certificate;
  readonly #key: CryptoKey;

  constructor(issuer: x509.X509Certificate, key: CryptoKey) {
    this.#issuer = issuer;
    this.#key = key;
    this.certificate = issuer.toString("pem");
    this.fingerprint = `sha256:${hashOf(Buffer.from(issuer.rawData))}`;
  }

  /** @throws when `passphrase` is not the one that the key was encrypted with */
  static async open(row: AuthorityRow, passphrase: string): Promise<Authority> {
    const key = createPrivateKey({ key: row.privateKey, format: "pem", passphrase });
    const pkcs8 = key.export({ type: "pkcs8", format: "der" });
    const signing = await webcrypto.subtle.importKey("pkcs8", pkcs8, KEYS, false, ["sign"]);
    return new Authority(new x509.X509Certificate(row.certificate), signing);
  }

  /** A new key and certificate for a server; it lives as long as the server's process. */
  async identifyServer(): Promise<ServerIdentity> {
    const keys = await webcrypto.subtle.generateKey(KEYS, true, ["sign", "verify"]);
    const signed = await this.#sign(keys.publicKey, "TTCS server", [
      { type: "dns", value: COORDINATOR_NAME },
    ]);
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    const own = new x509.X509Certificate(signed.rawData).toString("pem");
    return {
      certificateChain: `${own}\n${this.certificate}\n`,
      privateKey: `${key.export({ type: "pkcs8", format: "pem" })}`,
    };
  }

  /** The public key of a PKCS #10 request (DER), as SPKI; undefined: it is none, or not signed with it. */
  static async readRequest(der: Uint8Array): Promise<CryptoKey | undefined> {
    if (der.length > REQUEST_BYTES_MAX) return undefined;
    try {
      const request = new x509.Pkcs10CertificateRequest(Uint8Array.from(der));
      const key = await request.publicKey.export(KEYS, ["verify"], webcrypto);
      return (await request.verify(webcrypto)) ? key : undefined;
    } catch {
      return undefined;
    }
  }

  /** Signs a host's public key. */
  async identifyHost(key: CryptoKey, domain: string, hostId: string): Promise<SignedCertificate> {
    const names: x509.JsonGeneralNames = [{ type: "url", value: hostName(domain, hostId) }];
    const signed = await this.#sign(key, "TTCS host", names);
    const der = Buffer.from(signed.rawData);
    const spki = Buffer.from(signed.publicKey.rawData);
    return {
      der,
      serial: signed.serialNumber,
      certificateHash: hashOf(der),
      keyHash: hashOf(spki),
    };
  }

  /** Hosts are dialled by their neighbours, so that everybody is server and client in TLS' sense. */
  #sign(
    publicKey: CryptoKey,
    commonName: string,
    names: x509.JsonGeneralNames,
  ): Promise<x509.X509Certificate> {
    return x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject: `CN=${commonName}`,
      issuer: this.#issuer.subject,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      signingKey: this.#key,
      signingAlgorithm: SIGNATURE,
      publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectAlternativeNameExtension(names),
      ],
    });
  }
}

function newSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] &= 0x7f;
  // Without a leading zero byte, which DER would drop.
  bytes[0] |= 0x40;
  return bytes.toString("hex");
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
