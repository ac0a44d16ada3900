/** For tests: an authority with certificates for those who shall trust each other. */
import "reflect-metadata";
import { createHash, createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { TlsIdentity } from "../shell/tls-entry.ts";

const KEYS = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
const ALWAYS = { notBefore: new Date(0), notAfter: new Date("9999-12-31T23:59:59Z") };

x509.cryptoProvider.set(webcrypto);

/** What somebody shows, and the SHA-256 of the certificate in hexadecimal digits. */
export type TestIdentity = TlsIdentity & { readonly certificateHash: string };

/** See the module head. */
export class TestAuthority {
  readonly certificate: x509.X509Certificate;
  readonly fingerprint: string;
  readonly #keys: webcrypto.CryptoKeyPair;

  constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.certificate = certificate;
    this.fingerprint = `sha256:${hashOf(certificate)}`;
    this.#keys = keys;
  }

  static async make(): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...ALWAYS,
      name: "CN=test authority",
      keys,
      signingAlgorithm: SIGNATURE,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    });
    return new TestAuthority(certificate, keys);
  }

  /** Somebody with a certificate that bears a DNS name. */
  async identify(name: string): Promise<TestIdentity> {
    const keys = await newKeys();
    const certificate = await this.certify(keys.publicKey, name);
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    const authority = this.certificate.toString("pem");
    return {
      privateKey: `${key.export({ type: "pkcs8", format: "pem" })}`,
      certificateChain: `${certificate.toString("pem")}\n${authority}\n`,
      authority,
      certificateHash: hashOf(certificate),
    };
  }

  certify(publicKey: webcrypto.CryptoKey, name: string): Promise<x509.X509Certificate> {
    return x509.X509CertificateGenerator.create({
      ...ALWAYS,
      subject: "CN=test",
      issuer: this.certificate.subject,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: SIGNATURE,
      publicKey,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
    });
  }
}

const newKeys = () =>
  webcrypto.subtle.generateKey(KEYS, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;

const hashOf = (certificate: x509.X509Certificate): string =>
  createHash("sha256").update(Buffer.from(certificate.rawData)).digest("hex");
