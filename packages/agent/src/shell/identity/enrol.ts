/**
 * Enrolment: from a fingerprint and a token to a certificate.
 *
 * Problem: a new host knows of its authority nothing but the fingerprint in its configuration, and its
 * clock may be wrong by decades. Approach: it looks at the certificates that a server shows, without
 * believing them; the one whose SHA-256 is the fingerprint is the authority's. With that it dials again,
 * this time for good: TLS vouches that the server is a coordinator of this authority before the token is
 * said. Certificates of the authority are valid at any time that a clock can show.
 */
import { X509Certificate } from "node:crypto";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { makeGenericClientConstructor, type ServiceError, status } from "@grpc/grpc-js";
import { COORDINATOR_NAME, type EnrolmentReply, EnrolmentRequestSchema } from "@ttcs/protocol";
import { channelCredentials, channelOptions, enrolmentService } from "../grpc.ts";
import type { TlsIdentity } from "../tls-entry.ts";
import { fingerprintOf, type IdentityOwner } from "./identity-file.ts";

/** A server shows its certificates within this (ms). */
const SHOW_MS = 3_000;
/** A server that is asked by a thousand at once takes a while (ms). */
const ENROL_MS = 15_000;
/** Certificates that are looked at: a server's, and the authority's behind it. */
const CHAIN_MAX = 4;

/** Why a host did not enrol. `isFinal`: the same answer would come again, until somebody acts. */
export class EnrolmentError extends Error {
  readonly isFinal: boolean;

  constructor(message: string, isFinal: boolean) {
    super(message);
    this.name = "EnrolmentError";
    this.isFinal = isFinal;
  }
}

/** One host's way to its certificate, in as many tries as it takes. */
export class Enrolment {
  readonly #owner: IdentityOwner;
  readonly #token: string;
  /** Made once: a certificate whose answer was lost is given again, instead of another seat. */
  #key: { readonly privateKey: string; readonly request: Uint8Array } | undefined;
  /** PEM. Found once: it is the fingerprint's, whoever has shown it. */
  #authority: string | undefined;

  constructor(owner: IdentityOwner, token: string) {
    this.#owner = owner;
    this.#token = token;
  }

  /**
   * Enrols at the server at `address` ("host:port").
   *
   * @throws EnrolmentError
   */
  async at(address: string): Promise<TlsIdentity> {
    const { domain, hostId, caFingerprint } = this.#owner;
    // The library behind it is needed once in a host's life.
    const { newCertificateRequest } = await import("./certificate-request.ts");
    this.#key ??= await newCertificateRequest(domain, hostId);
    this.#authority ??= await findAuthority(address, caFingerprint);
    const [{ privateKey, request }, authority] = [this.#key, this.#authority];
    const der = await askForCertificate(address, authority, this.#owner, this.#token, request);
    const certificateChain = `${new X509Certificate(der)}${authority}`;
    return { privateKey, certificateChain, authority };
  }
}

/** The authority's certificate (PEM), as the server at `address` shows it. */
function findAuthority(address: string, fingerprint: string): Promise<string> {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  return new Promise((resolve, reject) => {
    const fail = (reason: string, isFinal = false) => {
      clearTimeout(late);
      socket.destroy();
      reject(new EnrolmentError(reason, isFinal));
    };
    const socket = connect({
      host,
      port: Number(address.slice(at + 1)),
      servername: COORDINATOR_NAME,
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.3",
      // Nothing is believed here: what is shown is looked through for what we know.
      rejectUnauthorized: false,
    });
    const late = setTimeout(() => fail(`no TLS within ${SHOW_MS / 1e3} s`), SHOW_MS);
    socket.on("error", (error) => fail(error.message));
    socket.on("close", () => fail("the connection was closed before anything was shown"));
    socket.on("secureConnect", () => {
      const shown = chainOf(socket.getPeerCertificate(true));
      const der = shown.find((raw) => fingerprintOf(raw) === fingerprint);
      if (!der) {
        const last = shown.at(-1);
        fail(
          `this is a server of another authority (${last ? fingerprintOf(last) : "it shows nothing"}); ` +
            "take ca_fingerprint and enrolment_token from this server (ttcs token new)",
          true,
        );
        return;
      }
      clearTimeout(late);
      resolve(`${new X509Certificate(der)}`);
      // In good order: nobody shall take this for a handshake that failed.
      socket.end();
    });
  });
}

function chainOf(first: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = [];
  let one: DetailedPeerCertificate | undefined = first;
  while (one?.raw && chain.length < CHAIN_MAX) {
    chain.push(one.raw);
    // The last one is its own issuer.
    one = one.issuerCertificate === one ? undefined : one.issuerCertificate;
  }
  return chain;
}

const FINAL: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.PERMISSION_DENIED,
  status.ALREADY_EXISTS,
  status.RESOURCE_EXHAUSTED,
]);

function askForCertificate(
  address: string,
  authority: string,
  { domain, hostId }: IdentityOwner,
  token: string,
  certificateRequest: Uint8Array,
): Promise<Uint8Array> {
  const Client = makeGenericClientConstructor(enrolmentService, "EnrolmentService");
  const client = new Client(address, channelCredentials({ authority }), {
    ...channelOptions,
    "grpc.ssl_target_name_override": COORDINATOR_NAME,
  });
  const request = create(EnrolmentRequestSchema, { domain, hostId, token, certificateRequest });
  return new Promise((resolve, reject) => {
    // No deadline of the library's: those are wall clock, and that may be stepped meanwhile.
    const late = setTimeout(() => call.cancel(), ENROL_MS);
    const done = (error: ServiceError | null, reply?: EnrolmentReply) => {
      clearTimeout(late);
      client.close();
      if (error) reject(new EnrolmentError(error.details, FINAL.has(error.code)));
      else resolve(reply!.certificate);
    };
    const call = client.enrol(request, done);
  });
}
