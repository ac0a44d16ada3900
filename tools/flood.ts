/**
 * Junk for every port of a laboratory: datagrams, connections and messages that no host would send.
 *
 * Seeded, so that a flood that breaks something can be repeated. The encoders of the product are used
 * to make what is well-formed and wrong; everything else is bytes. Some of it comes from strangers, some
 * from a host that has enrolled like any other and has turned bad.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, isIPv6, type Socket } from "node:net";
import { setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { Enrolment, type TlsIdentity } from "@ttcs/agent";
import {
  AgentMessageSchema,
  ExchangeFlushSchema,
  encodeProbe,
  hostPort,
  PROBE_BYTES,
  PROBE_DOMAIN_NUMBER,
} from "@ttcs/protocol";
import { Prng } from "@ttcs/units";

/** Where to send junk to. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/** What to flood. */
export interface Plan {
  readonly seed: number;
  readonly hosts: number;
  /** Datagrams, and messages in all. */
  readonly count: number;
  /** Connections at once in all. */
  readonly connections: number;
  readonly udp: Target;
  readonly peer: Target;
  readonly coordinator: Target;
  readonly status: string;
  /** What the host that turns bad enrols with. */
  readonly caFingerprint: string;
  readonly enrolmentToken: string;
}

/** What was offered; a connection that is turned away takes the rest of its messages with it. */
export interface Sent {
  connections: number;
  messages: number;
}

/** What came of a TCP port. */
export interface SentTcp extends Sent {
  /** Of connections without a certificate: what was said, TLS and all, and what was answered (bytes). */
  strangersSaid: number;
  strangersHeard: number;
}

/** What came of everything. */
export interface Flooded {
  readonly peer: SentTcp;
  readonly server: SentTcp;
  readonly status: Sent;
  /** Datagrams that somebody has answered with. */
  readonly datagramsHeard: number;
}

const OVERSIZED_BYTES = 2 << 20;
const ENDLESS = Buffer.alloc(50_000, "x");
/** Datagrams between two breaths: the receiver has a thread and a buffer, not a whole machine. */
const DATAGRAMS_AT_ONCE = 64;
/** A junk connection is held open for this long at most (ms). */
const HOLD_MS = 300;
const MESSAGES_PER_CONNECTION = 25;

const whole = (random: Prng, below: number): number => Math.floor(random.uniform() * below);

function randomBytes(random: Prng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => whole(random, 256));
}

function probeLike(random: Prng, hosts: number): Uint8Array {
  const bytes = new Uint8Array(PROBE_BYTES);
  encodeProbe(bytes, 0, {
    domainNumber: PROBE_DOMAIN_NUMBER,
    fromHost: 1 + whole(random, 2 * hosts),
    toHost: 1 + whole(random, hosts),
    // Low numbers were used before or never; high ones are far ahead of every sender.
    probe: whole(random, random.uniform() < 0.5 ? 1000 : Number.MAX_SAFE_INTEGER),
    keyNumber: whole(random, 65_536),
    flags: whole(random, 256),
  });
  return bytes;
}

/** One datagram that is no probe, or none that this sender may send. */
export function junkDatagram(random: Prng, hosts: number): Uint8Array {
  const kind = whole(random, 6);
  if (kind === 0) return randomBytes(random, whole(random, 256));
  if (kind === 1) return new Uint8Array(0);
  if (kind === 2) return new Uint8Array(1_000 + whole(random, 8_000));
  const bytes = probeLike(random, hosts);
  if (kind === 3) bytes[whole(random, bytes.length)] ^= 1 << whole(random, 8);
  if (kind === 4) return bytes.subarray(0, whole(random, PROBE_BYTES));
  return bytes;
}

/** A pool of junk: making it must not cost more than receiving it. */
function poolOf<T>(random: Prng, size: number, make: () => T): () => T {
  const pool = Array.from({ length: size }, make);
  return () => pool[whole(random, pool.length)];
}

/** Sends `count` junk datagrams. @returns how many came back */
export async function floodUdp(
  { address, port }: Target,
  count: number,
  random: Prng,
  hosts: number,
): Promise<number> {
  const junk = poolOf(random, 1_024, () => junkDatagram(random, hosts));
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  let heard = 0;
  socket.on("message", () => heard++);
  socket.connect(port, address);
  await once(socket, "connect");
  socket.on("error", () => {});
  for (let i = 0; i < count; i += DATAGRAMS_AT_ONCE) {
    const batch = Array.from({ length: Math.min(DATAGRAMS_AT_ONCE, count - i) }, junk);
    await Promise.all(batch.map((d) => new Promise((resolve) => socket.send(d, resolve))));
    await sleep(1);
  }
  await sleep(HOLD_MS);
  socket.close();
  return heard;
}

/** A message as gRPC frames it: uncompressed, with its length. */
function framed(body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

function absurdFlush(random: Prng, hosts: number): Uint8Array {
  const numbers = Array.from({ length: 500 }, () => whole(random, 2 ** 32));
  const column = { firstProbe: 2n ** 64n - 1n, probeStep: numbers, stampNs: numbers.map(() => -1) };
  const flush = create(ExchangeFlushSchema, {
    header: { domain: "default", term: 2n ** 63n, round: 2n ** 64n - 1n },
    fromHost: 1 + whole(random, 2 * hosts),
    toHost: 1 + whole(random, hosts),
    baseRawNs: -(2n ** 63n),
    sent: column,
    received: column,
    carrySigmaNs: Number.NaN,
    carryBoundNs: Number.NEGATIVE_INFINITY,
  });
  return toBinary(ExchangeFlushSchema, flush);
}

function absurdAgentMessage(random: Prng): Uint8Array {
  const header = { domain: random.uniform() < 0.5 ? "default" : "x".repeat(5_000) };
  const hello = { hostId: "h2", clockQuality: 0, probeAddress: "nowhere", probePort: 2 ** 32 - 1 };
  const fit = { owner: 1, other: 2, offsetNs: Number.NaN, freqPpb: Number.POSITIVE_INFINITY };
  const fits = Array.from({ length: 200 }, () => fit);
  const body =
    random.uniform() < 0.5
      ? { case: "hello" as const, value: hello }
      : { case: "report" as const, value: { fits, offsetNs: Number.NaN, boundNs: -1 } };
  return toBinary(AgentMessageSchema, create(AgentMessageSchema, { header, body }));
}

/** The two gRPC services that take junk. */
export type Service = "peer" | "coordinator";

const PATHS = {
  peer: "/clocksync.PeerService/Exchange",
  coordinator: "/clocksync.CoordinatorService/Subscribe",
} as const;

/** TLS as the host that turned bad, or without a certificate; servers are not looked at. */
const tlsOptions = (identity: TlsIdentity | undefined) => ({
  ...(identity ? { key: identity.privateKey, cert: identity.certificateChain } : {}),
  ALPNProtocols: ["h2"],
  rejectUnauthorized: false,
});

/** Junk below TLS, or in HTTP/2's frames. */
async function rawConnection(
  tcp: Socket,
  bytes: () => Uint8Array,
  identity: TlsIdentity | undefined,
): Promise<void> {
  const socket = identity ? connectTls({ socket: tcp, ...tlsOptions(identity) }) : tcp;
  await opened(socket);
  if (identity) socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  for (let i = 0; i < MESSAGES_PER_CONNECTION && !socket.destroyed; i++) {
    socket.write(bytes());
    if (i % 8 === 0) await sleep(1);
  }
  await heldOpen(socket);
  socket.destroy();
}

/** Waits until the other end closes, for a while. */
async function heldOpen(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
    if (socket.closed) resolve();
  });
  await Promise.race([closed, sleep(HOLD_MS)]);
}

async function opened(socket: Socket): Promise<void> {
  socket.on("error", () => socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once("connect", resolve);
    socket.once("close", () => resolve());
  });
}

/** Valid HTTP/2 with a wrong path, or a right one with junk in its messages. */
async function http2Connection(
  tcp: Socket,
  random: Prng,
  service: Service,
  message: () => Uint8Array,
  identity: TlsIdentity | undefined,
): Promise<void> {
  const tls = connectTls({ socket: tcp, ...tlsOptions(identity) });
  tls.on("error", () => {});
  const session = connectHttp2("https://flooded", { createConnection: () => tls });
  session.on("error", () => {});
  const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
  const path = random.uniform() < 0.2 ? `/no.such/Method${whole(random, 9)}` : PATHS[service];
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
  const gone = () => session.destroyed || session.closed;
  for (let messages = 0; messages < MESSAGES_PER_CONNECTION && !gone(); messages += 5) {
    const stream = session.request({ ...headers, te: "trailers" });
    stream.on("error", () => {});
    stream.resume();
    const silent = random.uniform() < 0.1;
    for (let i = 0; !silent && i < 5 && !stream.destroyed; i++) {
      stream.write(message());
    }
    await sleep(1);
    if (!silent && !stream.destroyed) stream.end();
  }
  await Promise.race([closed, sleep(HOLD_MS)]);
  session.destroy();
}

function junkMessage(random: Prng, service: Service, hosts: number): Uint8Array {
  const kind = random.uniform();
  if (kind < 0.4) return randomBytes(random, 1 + whole(random, 200));
  if (kind < 0.42) return new Uint8Array(OVERSIZED_BYTES);
  return service === "peer" ? absurdFlush(random, hosts) : absurdAgentMessage(random);
}

/** Sends `messages` junk messages, over `connections` at once. */
export async function floodTcp(
  target: Target,
  messages: number,
  connections: number,
  random: Prng,
  service: Service,
  hosts: number,
  identity: TlsIdentity,
): Promise<SentTcp> {
  const sent: SentTcp = { connections: 0, messages: 0, strangersSaid: 0, strangersHeard: 0 };
  const bytes = poolOf(random, 64, () => randomBytes(random, 1 + whole(random, 400)));
  const message = poolOf(random, 64, () => framed(junkMessage(random, service, hosts)));
  const work = async () => {
    while (sent.messages < messages) {
      sent.connections++;
      sent.messages += MESSAGES_PER_CONNECTION;
      const kind = random.uniform();
      const who = random.uniform() < 0.75 ? identity : undefined;
      const tcp = connect(target.port, target.address);
      tcp.on("error", () => {});
      if (kind < 0.5) await http2Connection(tcp, random, service, message, who);
      else await rawConnection(tcp, bytes, who);
      tcp.destroy();
      if (who) continue;
      sent.strangersSaid += tcp.bytesWritten;
      sent.strangersHeard += tcp.bytesRead;
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return sent;
}

/** Junk for the status socket: unknown requests, lines without an end, clients that do not read. */
export async function floodStatus(
  path: string,
  messages: number,
  connections: number,
  random: Prng,
): Promise<Sent> {
  const sent: Sent = { connections: 0, messages: 0 };
  const work = async () => {
    while (sent.messages < messages) {
      sent.connections++;
      sent.messages += MESSAGES_PER_CONNECTION;
      const socket = connect(path);
      await opened(socket);
      const kind = random.uniform();
      socket.pause();
      for (let i = 0; i < MESSAGES_PER_CONNECTION && !socket.destroyed; i++) {
        if (kind < 0.5) socket.write(`no such request ${whole(random, 1000)}\n`);
        else if (kind < 0.75) socket.write(ENDLESS);
        else socket.write("status\n");
      }
      await heldOpen(socket);
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return sent;
}

/** Floods everything at once. */
export async function flood(plan: Plan): Promise<Flooded> {
  const { count, connections, hosts } = plan;
  const random = (stream: number) => new Prng(plan.seed + stream);
  const share = Math.ceil(count / 3);
  const part = Math.ceil(connections / 4);
  const address = hostPort(plan.coordinator.address, plan.coordinator.port);
  const owner = { domain: "default", hostId: "flood", caFingerprint: plan.caFingerprint };
  const identity = await new Enrolment(owner, plan.enrolmentToken).at(address);
  const [datagramsHeard, peer, server, status] = await Promise.all([
    floodUdp(plan.udp, count, random(1), hosts),
    floodTcp(plan.peer, share, 2 * part, random(2), "peer", hosts, identity),
    floodTcp(plan.coordinator, share, part, random(3), "coordinator", hosts, identity),
    floodStatus(plan.status, share, part, random(4)),
  ]);
  return { peer, server, status, datagramsHeard };
}

// As a program: a process of its own, and behind everybody in the queue for the processor, because a
// stranger's flood is made on a stranger's machine.
if (import.meta.main) {
  setPriority(19);
  const sent = await flood(JSON.parse(process.argv[2]) as Plan);
  console.log(JSON.stringify(sent));
  process.exit(0);
}
