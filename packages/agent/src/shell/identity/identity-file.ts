/**
 * The host's identity on disk: its private key, its certificate and the authority's, in one file that
 * only its owner can read.
 *
 * It is written once, at enrolment, whole or not at all. A file that is damaged, or that belongs to
 * another host, domain or authority than the configuration names, is none: the host enrols anew, and the
 * file is kept under another name, for whoever wonders.
 */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { TlsIdentity } from "../tls-entry.ts";

const FILE = "identity.json";
/** The form of the file; another one is not read. */
const VERSION = 1;

/** Who a host is, and by whose word. */
export interface IdentityOwner {
  readonly domain: string;
  readonly hostId: string;
  /** "sha256:…" of the authority's certificate. */
  readonly caFingerprint: string;
}

/** Where the identity lies in the state folder. */
export const identityPath = (folder: string): string => join(folder, FILE);

/** See the module head. Undefined: the host has to enrol; `onFault` is told why, if a file is there. */
export function readIdentity(
  folder: string,
  owner: IdentityOwner,
  onFault: (fault: string) => void,
): TlsIdentity | undefined {
  const path = identityPath(folder);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
  const result = parse(text, owner);
  if (typeof result !== "string") return result;
  const kept = `${path}.old`;
  renameSync(path, kept);
  onFault(`${path} ${result}; this host enrols anew, the file is kept as ${kept}`);
  return undefined;
}

/** Keeps an identity; when this returns it survives a loss of power. */
export function writeIdentity(folder: string, owner: IdentityOwner, identity: TlsIdentity): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = identityPath(folder);
  const { domain, hostId } = owner;
  const document = { version: VERSION, domain, host_id: hostId, ...identity };
  const file = openSync(`${path}.new`, "w", 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(document, undefined, 1)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  const dir = openSync(folder, "r");
  try {
    fsyncSync(dir);
  } finally {
    closeSync(dir);
  }
}

/** "sha256:…" of a certificate. */
export const fingerprintOf = (der: Uint8Array): string =>
  `sha256:${createHash("sha256").update(der).digest("hex")}`;

/** The identity, or what is wrong with it. */
function parse(text: string, owner: IdentityOwner): TlsIdentity | string {
  let document: Record<string, unknown>;
  let authority: X509Certificate;
  let certificate: X509Certificate;
  try {
    document = JSON.parse(text);
    authority = new X509Certificate(document.authority as string);
    certificate = new X509Certificate(document.certificateChain as string);
    if (!certificate.checkPrivateKey(createPrivateKey(document.privateKey as string))) {
      return "holds a key that is not its certificate's";
    }
  } catch {
    return "is damaged";
  }
  if (document.version !== VERSION) return "is of another version";
  if (!certificate.verify(authority.publicKey)) return "holds a certificate of somebody else";
  if (document.host_id !== owner.hostId || document.domain !== owner.domain) {
    return `belongs to host "${document.host_id}" of domain "${document.domain}"`;
  }
  if (fingerprintOf(authority.raw) !== owner.caFingerprint) {
    return "belongs to another authority than ca_fingerprint names";
  }
  return {
    privateKey: document.privateKey as string,
    certificateChain: document.certificateChain as string,
    authority: document.authority as string,
  };
}
