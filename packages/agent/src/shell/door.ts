/**
 * The door in front of a gRPC server: who may come in, and how long before he has said who he is.
 *
 * Problem: a gRPC server takes every connection, keeps it for as long as the other end likes, and
 * tells nobody. Approach: an ordinary TCP server takes the connections and looks at the first bytes:
 * what does not begin like HTTP/2 never reaches the gRPC server. A connection is *unproved* until its
 * owner calls `prove`, after the first message that makes sense; it has a few seconds for that. When
 * there are too many unproved ones, the oldest makes room once it has had a moment to speak, so that
 * junk cannot lock others out by being there first, nor a crowd push its own members out before they
 * were heard. A crowd is let in little by little. Everything turned away is counted by kind, and told once a second at most.
 *
 * What it cannot see: who really is at the other end. A forged, well-formed message proves.
 */
import { createServer, type Server, type Socket } from "node:net";
import { type Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { Buckets } from "./buckets.ts";
import { guardCalls } from "./http2-guard.ts";

/** What every HTTP/2 client says first (RFC 9113, section 3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
/**
 * Connections that the kernel holds for us while we are busy: a fleet knocks all at once, and who finds
 * no room asks again only after 1, 3, 7 s.
 */
const BACKLOG = 4_096;
/** Connections that wait to be let in; the next one is refused. */
const WAITING_MAX = 256;
/** Unproved connections inside at once: in all, and from one address. */
const UNPROVED_MAX = 64;
const UNPROVED_PER_ADDRESS_MAX = 32;
/**
 * Every so often (ms) some are let in: that many while the process keeps time, and half as many of
 * every beat that has passed when it is late. A greeting costs milliseconds, and rounds must not wait
 * for strangers; a fleet that comes back must be in within seconds all the same.
 */
const BEAT_MS = 20;
const AT_ONCE = 4;
const LATE_AT_ONCE_MAX = 8;
/**
 * An unproved connection has so many beats in peace before it makes room: a quarter of a second of
 * time that this process kept, because a greeting that was not read yet is nobody's silence.
 */
const PEACE_BEATS = 12;
/** A connection has this long to prove itself (ms): a round is half a second. */
const PROVE_MS = 5_000;
/**
 * Connections of one address that do not prove themselves: at once, and then per second. Who proves
 * himself has his given back, so that a fleet behind one address comes in as fast as it speaks.
 */
const BURST_PER_ADDRESS = 64;
const RATE_PER_ADDRESS = 5;
/** What an unproved connection may send in all (bytes, calls and messages): a greeting has 1 kB. */
const UNPROVED_BYTES_MAX = 16_384;
const UNPROVED_MESSAGES_MAX = 4;
/** Messages of one connection: at once, and then per second. Hosts send two a second. */
const MESSAGE_BURST = 32;
const MESSAGE_RATE = 10;
/** Unproved connections are looked at this often (ms), and the log is told this often at most. */
const SWEEP_MS = 100;
const TELL_MS = 1_000;

/** Connections turned away, by kind, since the start. */
export interface DoorCounters {
  connections: number;
  /** More connections a second from one address than anybody needs. */
  refused_rate: number;
  /** Too many were waiting already, or the house is full of proved ones. */
  refused_full: number;
  /** First bytes that are no HTTP/2. */
  junk_first_bytes: number;
  /** Had to make room, as the oldest of too many that had not proved themselves. */
  evicted: number;
  /** Nothing that makes sense within the time for it. */
  unproved_late: number;
  /** Went away without having proved itself. */
  unproved_gone: number;
  /** Sent more than anybody needs, or nothing but nonsense. */
  expelled: number;
  /** Not connections: calls that broke while they began, and sessions that broke the protocol. */
  broken_calls: number;
  broken_frames: number;
}

/** How a door is set up. */
export interface DoorOptions {
  /** What stands in the log, such as "TCP 6171". */
  readonly name: string;
  /** Proved connections at once. */
  readonly provedMax: number;
}

/** A connection that has not proved itself. */
interface Guest {
  readonly socket: Socket;
  readonly sinceMs: number;
  readonly sinceBeat: number;
  messages: number;
}

/** See the module head. */
export class Door {
  readonly counters: DoorCounters = {
    connections: 0,
    refused_rate: 0,
    refused_full: 0,
    junk_first_bytes: 0,
    evicted: 0,
    unproved_late: 0,
    unproved_gone: 0,
    expelled: 0,
    broken_calls: 0,
    broken_frames: 0,
  };
  readonly #options: DoorOptions;
  readonly #log: Logger;
  /** By "address:port", the oldest first, with the instant of arrival (ms). */
  readonly #unproved = new Map<string, Guest>();
  readonly #proved = new Map<string, Socket>();
  #waiting: Socket[] = [];
  #beat: NodeJS.Timeout | undefined;
  #beatMs = 0;
  #beats = 0;
  readonly #buckets = new Buckets(BURST_PER_ADDRESS, RATE_PER_ADDRESS);
  readonly #messages = new Buckets(MESSAGE_BURST, MESSAGE_RATE);
  readonly #server: Server;
  #take: (socket: Socket) => void = (socket) => socket.destroy();
  #toldCount = 0;
  #toldMs = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: DoorOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) =>
      this.#enter(socket),
    );
    // Accepting may fail for want of descriptors; those who are in go on.
    this.#server.on("error", (error) => log.warn(`${options.name}: ${error.message}`));
  }

  /** Binds, in front of `server`. @returns the port. Rejects as the `listen` of a TCP server does. */
  async listen(address: string, port: number, server: GrpcServer): Promise<number> {
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    guardCalls(server, {
      mayCall: (peer) => this.maySpeak(peer),
      broken: () => this.counters.broken_calls++,
      sessionError: () => this.counters.broken_frames++,
    });
    this.#take = (socket) => injector.injectConnection(socket);
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: address, port, backlog: BACKLOG }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#sweeper = setInterval(() => this.#sweep(performance.now()), SWEEP_MS);
    const bound = this.#server.address();
    return typeof bound === "object" && bound ? bound.port : port;
  }

  /** The connection of `peer` ("address:port", as gRPC names it) has said something sensible. */
  prove(peer: string): void {
    const entry = this.#unproved.get(peer);
    if (!entry) return;
    this.#unproved.delete(peer);
    this.#buckets.giveBack(entry.socket.remoteAddress ?? "");
    if (this.#proved.size >= this.#options.provedMax) {
      this.counters.refused_full++;
      entry.socket.destroy();
    } else this.#proved.set(peer, entry.socket);
  }

  /**
   * To be asked at every call and message of `peer`: false, and the end of the connection, when it
   * says more than anybody needs.
   */
  maySpeak(peer: string): boolean {
    const guest = this.#unproved.get(peer);
    if (guest) {
      if (++guest.messages <= UNPROVED_MESSAGES_MAX) return true;
    } else if (this.#messages.take(peer, performance.now())) return true;
    this.expel(peer);
    return false;
  }

  /** Ends the connection of `peer`. */
  expel(peer: string): void {
    const socket = this.#proved.get(peer) ?? this.#unproved.get(peer)?.socket;
    if (!socket) return;
    this.counters.expelled++;
    this.#forget(peer);
    socket.destroy();
  }

  close(): void {
    clearInterval(this.#sweeper);
    clearInterval(this.#beat);
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
    for (const { socket } of this.#unproved.values()) socket.destroy();
    for (const socket of this.#proved.values()) socket.destroy();
  }

  #enter(socket: Socket): void {
    this.counters.connections++;
    socket.on("error", () => socket.destroy());
    const nowMs = performance.now();
    const isFull = this.#waiting.length >= WAITING_MAX;
    if (isFull || !this.#buckets.take(socket.remoteAddress ?? "", nowMs)) {
      this.counters[isFull ? "refused_full" : "refused_rate"]++;
      // A reset leaves no socket behind that waits for the other end.
      socket.resetAndDestroy();
      return;
    }
    this.#waiting.push(socket);
    if (this.#beat !== undefined) return;
    this.#beatMs = nowMs;
    this.#letIn(1);
    this.#beat = setInterval(() => this.#onBeat(performance.now()), BEAT_MS);
  }

  #onBeat(nowMs: number): void {
    const beats = (nowMs - this.#beatMs) / BEAT_MS;
    this.#beatMs = nowMs;
    this.#beats++;
    const late = Math.min(LATE_AT_ONCE_MAX, Math.floor((beats * AT_ONCE) / 2));
    this.#letIn(beats > 2 ? late : AT_ONCE);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#beat);
    this.#beat = undefined;
  }

  #letIn(count: number): void {
    for (let i = 0; i < count; i++) {
      const at = this.#waiting.findIndex((socket) => this.#hasRoom(socket.remoteAddress));
      if (at < 0) return;
      this.#admit(this.#waiting.splice(at, 1)[0]);
    }
  }

  /** Whether one of `address` can come in now: there is room, or somebody has had his time. */
  #hasRoom(address: string | undefined): boolean {
    const crowd = address === undefined ? [] : this.#crowd(address);
    return crowd.length === 0 || this.#beats - crowd[0][1].sinceBeat >= PEACE_BEATS;
  }

  #admit(socket: Socket): void {
    const { remoteAddress: address, remotePort } = socket;
    if (address === undefined || socket.destroyed) {
      this.counters.unproved_gone++;
      socket.destroy();
      return;
    }
    const peer = `${address}:${remotePort}`;
    this.#makeRoom(address);
    this.#unproved.set(peer, {
      socket,
      sinceMs: performance.now(),
      sinceBeat: this.#beats,
      messages: 0,
    });
    socket.on("close", () => {
      if (this.#unproved.has(peer)) this.counters.unproved_gone++;
      this.#forget(peer);
    });
    this.#readPreface(socket, peer);
  }

  /** Hands the connection on when its first bytes are right, with those bytes put back. */
  #readPreface(socket: Socket, peer: string): void {
    let head: Buffer = Buffer.alloc(0);
    const read = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const length = Math.min(head.length, PREFACE.length);
      if (!head.subarray(0, length).equals(PREFACE.subarray(0, length))) {
        this.counters.junk_first_bytes++;
        this.#forget(peer);
        socket.destroy();
      } else if (length === PREFACE.length) {
        socket.off("readable", read);
        socket.unshift(head);
        this.#take(socket);
      }
    };
    socket.on("readable", read);
  }

  #makeRoom(address: string): void {
    const [oldest] = this.#crowd(address);
    if (!oldest) return;
    const [peer, { socket }] = oldest;
    this.counters.evicted++;
    this.#forget(peer);
    socket.destroy();
  }

  /** The unproved ones of whom one has to go for one of `address` to come in, the oldest first. */
  #crowd(address: string): [string, Guest][] {
    const all = [...this.#unproved.entries()];
    const same = all.filter(([, { socket }]) => socket.remoteAddress === address);
    if (same.length >= UNPROVED_PER_ADDRESS_MAX) return same;
    return all.length >= UNPROVED_MAX ? all : [];
  }

  #forget(peer: string): void {
    this.#unproved.delete(peer);
    this.#proved.delete(peer);
  }

  #sweep(nowMs: number): void {
    for (const [peer, { socket, sinceMs }] of this.#unproved) {
      if (socket.bytesRead > UNPROVED_BYTES_MAX) {
        this.expel(peer);
        continue;
      }
      if (nowMs - sinceMs < PROVE_MS) continue;
      this.counters.unproved_late++;
      this.#forget(peer);
      socket.destroy();
    }
    if (nowMs - this.#toldMs >= TELL_MS) this.#tell(nowMs);
  }

  #tell(nowMs: number): void {
    this.#toldMs = nowMs;
    this.#buckets.sweep(nowMs);
    this.#messages.sweep(nowMs);
    const { connections: _1, broken_calls: _2, broken_frames: _3, ...turnedAway } = this.counters;
    const count = Object.values(turnedAway).reduce((sum, n) => sum + n, 0);
    if (count === this.#toldCount) return;
    const { name } = this.#options;
    this.#log.warn(
      { ...this.counters },
      `${name}: ${count - this.#toldCount} more connections turned away, ${count} in all`,
    );
    this.#toldCount = count;
  }
}
