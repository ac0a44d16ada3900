/**
 * A new key pair and the request for its certificate (PKCS #10). The private key leaves this host in no
 * message. In a file of its own because the library behind it is needed once in a host's life.
 */
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { hostName } from "@ttcs/protocol";

const KEYS = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

/** See the module head. */
export async function newCertificateRequest(
  domain: string,
  hostId: string,
): Promise<{ readonly privateKey: string; readonly request: Uint8Array }> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(KEYS, true, ["sign", "verify"]);
  const names = [{ type: "url" as const, value: hostName(domain, hostId) }];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=TTCS host",
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [new x509.SubjectAlternativeNameExtension(names)],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  return {
    privateKey: `${key.export({ type: "pkcs8", format: "pem" })}`,
    request: new Uint8Array(request.rawData),
  };
}
