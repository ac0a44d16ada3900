/**
 * A forger of probes, as fast as the machine lets it send: what one host has to bear from a stranger, and
 * from somebody who reads the network.
 *
 * Three kinds in turn. *Strangers'*: well-formed, to the right host in the name of a real one, with key
 * number, probe number and MAC drawn at random. As root also, with true source addresses through a raw
 * socket (raw(7) of Linux): *replays* of probes that were captured a moment ago, and *forgeries*, captured
 * probes with the next numbers and a MAC drawn at random. Seeded but for what it captures.
 */
import { setPriority } from "node:os";
import { encodeProbe, PROBE_BYTES, PROBE_DOMAIN_NUMBER, PROBE_MAC_AT } from "@ttcs/protocol";
import { Prng } from "@ttcs/units";
import koffi from "koffi";
import { MessageBlock } from "../packages/timestamper/src/kernel/message-block.ts";
import { socketAddress } from "../packages/timestamper/src/kernel/socket-address.ts";

/** What to do. */
export interface SpoofPlan {
  readonly seed: number;
  readonly seconds: number;
  /** IPv4 address and port of the host that is to be fooled. */
  readonly address: string;
  readonly port: number;
  readonly hostNumber: number;
  /** Numbers of its neighbours. */
  readonly neighbours: readonly number[];
}

/** What was sent, by kind. */
export interface Spoofed {
  strangers: number;
  replays: number;
  forgeries: number;
  seconds: number;
}

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const IPPROTO_UDP = 17;
const IPPROTO_RAW = 255;
const MSG_DONTWAIT = 0x40;
const BATCH = 64;
const IP_BYTES = 20;
const UDP_BYTES = 8;
/** So many probes are captured before the flood begins, or as many as there are in this time (ms). */
const CAPTURE = 2_000;
const CAPTURE_MS = 3_000;

const c = koffi.load("libc.so.6");
const socket = c.func("socket", "int", ["int", "int", "int"]);
const sendmmsg = c.func("sendmmsg", "int", ["int", "intptr_t", "uint", "int"]);
const recv = c.func("recv", "intptr_t", ["int", "void *", "size_t", "int"]);
const close = c.func("close", "int", ["int"]);

/** Probes on their way to the host, with IP and UDP headers; none where capturing is not allowed. */
function capture({ port }: SpoofPlan): Uint8Array[] {
  const fd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
  if (fd < 0) return [];
  const probes: Uint8Array[] = [];
  const buffer = new Uint8Array(2_048);
  const endMs = performance.now() + CAPTURE_MS;
  while (probes.length < CAPTURE && performance.now() < endMs) {
    const length = Number(recv(fd, buffer, buffer.length, MSG_DONTWAIT));
    const isProbe = length === IP_BYTES + UDP_BYTES + PROBE_BYTES;
    if (isProbe && ((buffer[IP_BYTES + 2] << 8) | buffer[IP_BYTES + 3]) === port) {
      probes.push(buffer.slice(0, length));
    }
  }
  close(fd);
  return probes;
}

/** Sends batches of what `fill` writes until the time is over; `fill` gets the memory and a place. */
class Sender {
  readonly #fd: number;
  readonly #block: MessageBlock;
  sent = 0;

  constructor(kind: number, protocol: number, bytes: number, plan: SpoofPlan) {
    this.#fd = socket(AF_INET, kind, protocol);
    if (this.#fd < 0) throw new Error("no socket");
    const name = socketAddress(plan.address, plan.port)!;
    this.#block = new MessageBlock(BATCH, { payload: bytes, control: 0, name: name.length });
    for (let i = 0; i < BATCH; i++) this.#block.setName(i, name);
  }

  send(fill: (bytes: Uint8Array, at: number) => void): void {
    const block = this.#block;
    for (let i = 0; i < BATCH; i++) fill(block.memory.bytes, block.payloadAt(i));
    const count = sendmmsg(this.#fd, block.headerAddress(0), BATCH, MSG_DONTWAIT);
    if (count > 0) this.sent += count;
  }

  close(): void {
    close(this.#fd);
  }
}

/** See the module head. */
export function spoof(plan: SpoofPlan): Spoofed {
  const random = new Prng(plan.seed);
  const whole = (below: number) => Math.floor(random.uniform() * below);
  const captured = capture(plan);
  const strangers = new Sender(SOCK_DGRAM, IPPROTO_UDP, PROBE_BYTES, plan);
  const datagramBytes = IP_BYTES + UDP_BYTES + PROBE_BYTES;
  const readers = captured.length > 0 ? [0, 1] : [];
  const [replays, forgeries] = readers.map(
    () => new Sender(SOCK_RAW, IPPROTO_RAW, datagramBytes, plan),
  );
  const drawn = (bytes: Uint8Array, at: number) => {
    encodeProbe(bytes, at, {
      domainNumber: PROBE_DOMAIN_NUMBER,
      fromHost: plan.neighbours[whole(plan.neighbours.length)],
      toHost: plan.hostNumber,
      probe: whole(2 ** 53),
      keyNumber: whole(65_536),
      flags: 0,
    });
    for (let i = PROBE_MAC_AT; i < PROBE_BYTES; i++) bytes[at + i] = whole(256);
  };
  const replayed = (bytes: Uint8Array, at: number) => {
    bytes.set(captured[whole(captured.length)], at);
    // No UDP checksum: IPv4 allows it, and on loopback the one that was captured was never computed.
    bytes[at + IP_BYTES + 6] = 0;
    bytes[at + IP_BYTES + 7] = 0;
  };
  const forged = (bytes: Uint8Array, at: number) => {
    replayed(bytes, at);
    const probeAt = at + IP_BYTES + UDP_BYTES;
    // A higher number than any yet: it passes for a probe to come.
    bytes[probeAt + 70] = 0xff;
    bytes[probeAt + 71] = whole(256);
    for (let i = PROBE_MAC_AT; i < PROBE_BYTES; i++) bytes[probeAt + i] = whole(256);
  };
  const beganMs = performance.now();
  const endMs = beganMs + 1e3 * plan.seconds;
  while (performance.now() < endMs) {
    strangers.send(drawn);
    replays?.send(replayed);
    forgeries?.send(forged);
  }
  const seconds = (performance.now() - beganMs) / 1e3;
  for (const sender of [strangers, replays, forgeries]) sender?.close();
  return {
    strangers: strangers.sent,
    replays: replays?.sent ?? 0,
    forgeries: forgeries?.sent ?? 0,
    seconds,
  };
}

// As a program: a process of its own, behind everybody in the queue for the processor, because a
// stranger's flood is made on a stranger's machine.
if (import.meta.main) {
  setPriority(19);
  console.log(JSON.stringify(spoof(JSON.parse(process.argv[2]) as SpoofPlan)));
  process.exit(0);
}
