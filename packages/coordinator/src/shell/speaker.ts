/** Who is at the other end of a stream, and what he may say. */
import type { AgentMessage } from "@ttcs/protocol";
import type { HostIdentity } from "./identity/directory.ts";
import { implausible } from "./plausible.ts";

/** What strangers call a domain is repeated to this length (characters). */
const NAME_SHOWN = 64;

/** Who is at the other end of a stream. */
export interface Speaker {
  /** "address:port", as gRPC names a connection. */
  readonly peer: string;
  /** SHA-256 of his certificate, in hexadecimal digits. */
  readonly certificateHash: string;
  readonly host: HostIdentity;
}

/**
 * Why a message cannot be that of its speaker, or cannot be true; undefined: it may be. A greeting is
 * given the certificate that its stream has shown.
 *
 * @param isRun whether this server runs a domain
 */
export function faultOf(
  { host, certificateHash }: Speaker,
  { header, body }: AgentMessage,
  isRun: (domain: string) => boolean,
): string | undefined {
  const domain = header?.domain ?? "";
  if (!isRun(host.domain)) {
    return `this server runs no domain "${shown(host.domain)}"; download the agent's config file anew`;
  }
  if (domain !== host.domain) {
    return `this host was enrolled in domain "${host.domain}", not in "${shown(domain)}"`;
  }
  if (body.case !== "hello") return undefined;
  const { hostId } = body.value;
  if (hostId !== host.hostId) {
    return `this certificate is that of host "${host.hostId}", not of "${shown(hostId)}"`;
  }
  body.value.certificateSha256 = Buffer.from(certificateHash, "hex");
  return implausible(body.value);
}

const shown = (name: string): string => name.slice(0, NAME_SHOWN);
