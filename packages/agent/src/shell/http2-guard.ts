/**
 * Stands between HTTP/2 and a gRPC server: sees every call before the server does.
 *
 * Problem: grpc-js answers a call to an unknown method at once, and when the connection has broken in
 * the same moment, that answer throws out of an event handler and ends the process. It also tells
 * nobody of calls to methods that do not exist. Approach: its listener of new streams is replaced by
 * one that asks first and catches what is thrown.
 *
 * Assumption: the server keeps its HTTP/2 servers in `http2Servers`, a private field (grpc-js 1.14);
 * a version that does not fails loudly at the start.
 */
import type { Http2Server, ServerHttp2Stream } from "node:http2";
import { type Server, status } from "@grpc/grpc-js";
import { assert } from "@ttcs/units";

/** The whole answer to a call that needs a certificate, whether there is such a method or not. */
const UNAUTHENTICATED = {
  ":status": 200,
  "content-type": "application/grpc+proto",
  "grpc-status": status.UNAUTHENTICATED,
  "grpc-message": "a client certificate is needed",
};

/** Whether a call may go on; one that needs a certificate is told so. */
export type Verdict = "yes" | "no" | "unauthenticated";

/** What happens at the guard. */
export interface GuardEvents {
  /** Whether the peer ("address:port") may begin another call, of "/package.Service/Method". */
  mayCall(peer: string, path: string): Verdict;
  /** A call that broke while it began. */
  broken(): void;
  /** Frames that are no HTTP/2. */
  sessionError(): void;
}

/** Guards all HTTP/2 servers that `server` has now. */
export function guardCalls(server: Server, events: GuardEvents): void {
  const { http2Servers } = server as unknown as { http2Servers?: Map<Http2Server, unknown> };
  assert(
    http2Servers !== undefined && http2Servers.size > 0,
    "grpc-js keeps its servers elsewhere",
  );
  for (const http2Server of http2Servers.keys()) {
    const inner = http2Server.listeners("stream");
    http2Server.removeAllListeners("stream");
    http2Server.on("stream", (stream, headers, ...rest) => {
      enter(stream, `${headers[":path"]}`, events, () => {
        for (const listener of inner) listener.call(http2Server, stream, headers, ...rest);
      });
    });
    http2Server.on("sessionError", () => events.sessionError());
  }
}

function enter(
  stream: ServerHttp2Stream,
  path: string,
  events: GuardEvents,
  pass: () => void,
): void {
  // An error that nobody listens for would end the process.
  stream.on("error", () => {});
  try {
    // Throws where the connection is gone already.
    const socket = stream.session?.socket;
    if (stream.destroyed || socket === undefined) {
      events.broken();
      return;
    }
    const verdict = events.mayCall(`${socket.remoteAddress}:${socket.remotePort}`, path);
    if (verdict === "yes") pass();
    else if (verdict === "unauthenticated") stream.respond(UNAUTHENTICATED, { endStream: true });
  } catch {
    events.broken();
    stream.destroy();
  }
}
