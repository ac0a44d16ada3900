/**
 * Agents that join and then do not read: what a coordinator has to bear without others noticing.
 *
 * Every second one stops to read its socket, as a process does that hangs. The others go on to
 * answer the connection's pings and let no byte of the stream through: their window for it is as
 * small as the greeting, and nobody ever opens it again.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { Enrolment as HostEnrolment, type TlsIdentity } from "@ttcs/agent";
import { AgentMessageSchema, COORDINATOR_NAME, hostPort } from "@ttcs/protocol";
import type { Enrolment } from "../identity/enrolment.ts";

const PATH = "/clocksync.CoordinatorService/Subscribe";
/**
 * What comes before the corrections passes: the Welcome and an Assignment, some 600 bytes. Room for much
 * more would be filled by a line a second that a host without corrections is told, and be no stall yet.
 */
const WINDOW_BYTES = 1_024;

/** A message as gRPC frames it: uncompressed, with its length. */
function framed(body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

const hostIdOf = (index: number): string => `stalled-${index}`;

function hello(index: number): Buffer {
  const header = { domain: "default", term: 0n, round: 0n };
  const value = {
    hostId: hostIdOf(index),
    clockQuality: 1,
    probeAddress: `10.201.${index >> 8}.${index & 255}`,
    probePort: 319,
    managementAddress: `10.201.${index >> 8}.${index & 255}`,
    agentPort: 6171,
    softwareVersion: "bench",
    bootId: "bench",
  };
  const message = create(AgentMessageSchema, { header, body: { case: "hello", value } });
  return framed(toBinary(AgentMessageSchema, message));
}

/** Where the server is. */
interface Target {
  readonly address: string;
  readonly port: number;
}

/** Agents that have stopped to read. Who of them is still served, the server knows. */
export class StalledReaders {
  readonly #sessions: ClientHttp2Session[] = [];

  /** Enrols so many, then lets them join. */
  static async open(
    target: Target,
    { caFingerprint, enrolmentToken }: Enrolment,
    count: number,
  ): Promise<StalledReaders> {
    const address = hostPort(target.address, target.port);
    const identities: TlsIdentity[] = [];
    for (let i = 0; i < count; i++) {
      const owner = { domain: "default", hostId: hostIdOf(i), caFingerprint };
      identities.push(await new HostEnrolment(owner, enrolmentToken).at(address));
    }
    const readers = new StalledReaders();
    identities.forEach((identity, i) => {
      readers.#open(target, identity, i);
    });
    return readers;
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #open({ address, port }: Target, identity: TlsIdentity, index: number): void {
    const settings = { initialWindowSize: WINDOW_BYTES };
    const socket = connectTcp(port, address);
    const tls = connectTls({
      socket,
      key: identity.privateKey,
      cert: identity.certificateChain,
      ca: identity.authority,
      servername: COORDINATOR_NAME,
      ALPNProtocols: ["h2"],
    });
    const session = connect(`https://${COORDINATOR_NAME}`, {
      settings,
      createConnection: () => tls,
    });
    this.#sessions.push(session);
    session.on("error", () => {});
    const stream = session.request({
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {});
    buffersNothing(stream);
    stream.once("data", () => {
      stream.pause();
      if (index % 2 === 0) stopReading(socket);
    });
    stream.write(hello(index));
  }
}

/** A paused stream would read on into its buffer, and tell the other end to send more. */
function buffersNothing(stream: ClientHttp2Stream): void {
  const { _readableState: state } = stream as unknown as {
    _readableState: { highWaterMark: number };
  };
  state.highWaterMark = 0;
}

/**
 * Nothing is read of the socket any more. TLS has taken the socket's handle over and lets nobody pause
 * it, so the handle itself is asked.
 */
function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as { _handle?: { readStop?(): void } };
  handle?.readStop?.();
}
