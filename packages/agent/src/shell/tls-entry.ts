/**
 * TLS in front of a gRPC server: shakes hands, and knows who is at the other end.
 *
 * Everybody shows a certificate of our authority; where a door has an *open path*, for those who enrol,
 * one may come without and call nothing else. TLS 1.3 only: both ends are ours. Who is meant by a
 * certificate is for others to know; here it has a name, its SHA-256.
 *
 * A certificate that is not of our authority is turned away in the handshake, and so is whoever has none
 * where there is no open path: he has seen the certificate of this end, and nothing else.
 */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";

/** What this end shows, and whom it believes; PEM. */
export interface TlsIdentity {
  readonly privateKey: string;
  /** The certificate, with those behind it that the other end may want to see. */
  readonly certificateChain: string;
  /** The authority's certificate. */
  readonly authority: string;
}

/** What happens at the entry. */
export interface TlsEntryEvents {
  /** Hands were shaken; `certificateHash` in hexadecimal digits, undefined: none was shown. */
  entered(socket: TLSSocket, certificateHash: string | undefined): void;
  /** They were not: no TLS, no certificate, or not one of ours. */
  failed(): void;
}

/** See the module head. */
export class TlsEntry {
  readonly #hasOpenPath: boolean;
  readonly #events: TlsEntryEvents;
  #server: Server | undefined;

  constructor(hasOpenPath: boolean, events: TlsEntryEvents) {
    this.#hasOpenPath = hasOpenPath;
    this.#events = events;
  }

  /** From now on this is shown; before the first call nobody comes in. */
  present({ privateKey, certificateChain, authority }: TlsIdentity): void {
    const context = { key: privateKey, cert: certificateChain, ca: authority };
    if (this.#server) {
      this.#server.setSecureContext(context);
      return;
    }
    this.#server = createServer(
      {
        ...context,
        minVersion: "TLSv1.3",
        ALPNProtocols: ["h2"],
        requestCert: true,
        rejectUnauthorized: !this.#hasOpenPath,
      },
      (socket) => this.#entered(socket),
    );
    this.#server.on("tlsClientError", (_error, socket) => {
      this.#events.failed();
      socket.destroy();
    });
  }

  /** Shakes hands on a connection; false: nothing can be presented yet. */
  begin(socket: Socket): boolean {
    return this.#server?.emit("connection", socket) ?? false;
  }

  #entered(socket: TLSSocket): void {
    socket.on("error", () => socket.destroy());
    const shown = socket.getPeerX509Certificate();
    if (shown && !socket.authorized) {
      this.#events.failed();
      socket.destroy();
      return;
    }
    const hash = shown && createHash("sha256").update(shown.raw).digest("hex");
    this.#events.entered(socket, hash);
  }
}
