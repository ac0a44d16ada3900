/**
 * The door in front of a gRPC server: who may come in, and how long before he has said who he is.
 *
 * Problem: a gRPC server takes every connection, keeps it for as long as the other end likes, and
 * tells nobody. Approach: an ordinary TCP server takes the connections, lets them shake hands
 * (`tls-entry.ts`), and hands on who is through with that. A connection is *unproved* until its
 * owner calls `prove`, after the first message that makes sense; it has a few seconds for that. When
 * there are too many unproved ones, the oldest makes room once it has had a moment to speak, so that
 * junk cannot lock others out by being there first, nor a crowd push its own members out before they
 * were heard. A crowd is let in little by little. Everything turned away is counted by kind, and told once a second at most.
 *
 * Whoever shows no certificate may call the open path, if there is one, and hears of nothing else.
 * What it cannot see: whether a certificate has ended; that is for those who know the hosts.
 */
import { createServer, type Server, type Socket } from "node:net";
import { type Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { Buckets } from "./buckets.ts";
import { noneTurnedAway } from "./door-counters.ts";
import { type DoorLimits, NEIGHBOURS_DOOR } from "./door-limits.ts";
import { DoorLine } from "./door-line.ts";
import { guardCalls, type Verdict } from "./http2-guard.ts";
import { TlsEntry, type TlsIdentity } from "./tls-entry.ts";

/**
 * Connections that the kernel holds for us while we are busy: a fleet knocks all at once, and who finds
 * no room asks again only after 1, 3, 7 s.
 */
const BACKLOG = 4_096;
/** Those who wait are let in this often (ms): rounds must not wait for strangers. */
const BEAT_MS = 20;
/**
 * An unproved connection has so many beats in peace before it makes room: a quarter of a second of
 * time that this process kept, because a greeting that was not read yet is nobody's silence.
 */
const PEACE_BEATS = 12;
/** A connection has this long to prove itself (ms): a round is half a second. */
const PROVE_MS = 5_000;
/** What an unproved connection may send in all (bytes, calls and messages): a greeting has 1 kB. */
const UNPROVED_BYTES_MAX = 16_384;
const UNPROVED_MESSAGES_MAX = 4;
/** Messages of one connection: at once, and then per second. Hosts send two a second. */
const MESSAGE_BURST = 32;
const MESSAGE_RATE = 10;
/** Unproved connections are looked at this often (ms), and the log is told this often at most. */
const SWEEP_MS = 100;
const TELL_MS = 1_000;

/** How a door is set up. */
export interface DoorOptions {
  /** What stands in the log, such as "TCP 6171". */
  readonly name: string;
  /** Proved connections at once. */
  readonly provedMax: number;
  readonly limits?: DoorLimits;
  /** "/package.Service/Method" that may be called without a certificate; absent: none may. */
  readonly openPath?: string;
}

/** A connection that has not proved itself. */
interface Guest {
  readonly socket: Socket;
  readonly sinceMs: number;
  readonly sinceBeat: number;
  messages: number;
}

/** The unproved ones as one who waits looks at them: how many there are, and the oldest's beat. */
interface Crowd {
  count: number;
  readonly oldestBeat: number;
}

/** See the module head. */
export class Door {
  readonly counters = noneTurnedAway();
  readonly #options: DoorOptions;
  readonly #log: Logger;
  /** By "address:port", the oldest first, with the instant of arrival (ms). */
  readonly #unproved = new Map<string, Guest>();
  readonly #proved = new Map<string, Socket>();
  /** SHA-256 of each connection's certificate, by "address:port". */
  readonly #certificates = new Map<string, string>();
  readonly #entry: TlsEntry;
  readonly #line = new DoorLine();
  #beat: NodeJS.Timeout | undefined;
  #beatMs = 0;
  #beats = 0;
  readonly #limits: DoorLimits;
  readonly #buckets: Buckets;
  readonly #messages = new Buckets(MESSAGE_BURST, MESSAGE_RATE);
  readonly #server: Server;
  #take: (socket: Socket) => void = (socket) => socket.destroy();
  #toldCount = 0;
  #toldMs = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: DoorOptions, log: Logger) {
    this.#options = options;
    this.#limits = options.limits ?? NEIGHBOURS_DOOR;
    this.#buckets = new Buckets(this.#limits.burstPerAddress, this.#limits.ratePerAddress);
    this.#log = log;
    this.#entry = new TlsEntry(options.openPath !== undefined, {
      failed: () => this.counters.failed_handshakes++,
      entered: (socket, certificateHash) => {
        const peer = peerOf(socket);
        if (certificateHash !== undefined) this.#certificates.set(peer, certificateHash);
        this.#take(socket);
      },
    });
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) =>
      this.#enter(socket),
    );
    // Accepting may fail for want of descriptors; those who are in go on.
    this.#server.on("error", (error) => log.warn(`${options.name}: ${error.message}`));
  }

  /** What this door shows to those who come; until then nobody is let in. */
  present(identity: TlsIdentity): void {
    this.#entry.present(identity);
  }

  /** SHA-256 of the certificate that `peer` has shown, in hexadecimal digits; undefined: none. */
  certificateOf(peer: string): string | undefined {
    return this.#certificates.get(peer);
  }

  /** Binds, in front of `server`. @returns the port. Rejects as the `listen` of a TCP server does. */
  async listen(address: string, port: number, server: GrpcServer): Promise<number> {
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    guardCalls(server, {
      mayCall: (peer, path) => this.#mayCall(peer, path),
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

  #mayCall(peer: string, path: string): Verdict {
    if (!this.maySpeak(peer)) return "no";
    if (this.#certificates.has(peer) || path === this.#options.openPath) return "yes";
    this.counters.refused_calls++;
    return "unauthenticated";
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
    this.#line.close();
    for (const { socket } of this.#unproved.values()) socket.destroy();
    for (const socket of this.#proved.values()) socket.destroy();
  }

  #enter(socket: Socket): void {
    this.counters.connections++;
    socket.on("error", () => socket.destroy());
    const nowMs = performance.now();
    const address = socket.remoteAddress ?? "";
    const isFull = this.#line.count >= this.#limits.waitingMax;
    if (isFull || !this.#buckets.take(address, nowMs)) {
      this.counters[isFull ? "refused_full" : "refused_rate"]++;
      // A reset leaves no socket behind that waits for the other end.
      socket.resetAndDestroy();
      return;
    }
    this.#line.push(socket, () => {
      // Whoever left before his turn has cost nothing.
      this.counters.unproved_gone++;
      this.#buckets.giveBack(address);
    });
    if (this.#beat !== undefined) return;
    this.#beatMs = nowMs;
    this.#letIn(1);
    this.#beat = setInterval(() => this.#onBeat(performance.now()), BEAT_MS);
  }

  #onBeat(nowMs: number): void {
    const beats = (nowMs - this.#beatMs) / BEAT_MS;
    const { atOnce, lateAtOnceMax } = this.#limits;
    this.#beatMs = nowMs;
    this.#beats++;
    const late = Math.min(lateAtOnceMax, Math.floor((beats * atOnce) / 2));
    this.#letIn(beats > 2 ? late : atOnce);
    if (this.#line.count > 0) return;
    clearInterval(this.#beat);
    this.#beat = undefined;
  }

  #letIn(count: number): void {
    for (let i = 0; i < count; i++) {
      const socket = this.#line.next(this.#lookAround());
      if (!socket) return;
      this.#admit(socket);
    }
  }

  /** Whether one of an address can come in now: there is room, or somebody has had his time. */
  #lookAround(): (address: string) => boolean {
    const { unprovedMax, unprovedPerAddressMax } = this.#limits;
    const all: Crowd = { count: this.#unproved.size, oldestBeat: this.#oldestBeat() };
    const byAddress = new Map<string, Crowd>();
    for (const { socket, sinceBeat } of this.#unproved.values()) {
      const address = socket.remoteAddress ?? "";
      const same = byAddress.get(address);
      if (same) same.count++;
      else byAddress.set(address, { count: 1, oldestBeat: sinceBeat });
    }
    const hadTime = ({ oldestBeat }: Crowd) => this.#beats - oldestBeat >= PEACE_BEATS;
    return (address) => {
      const same = byAddress.get(address);
      if (same && same.count >= unprovedPerAddressMax) return hadTime(same);
      return all.count < unprovedMax || hadTime(all);
    };
  }

  #oldestBeat(): number {
    const [oldest] = this.#unproved.values();
    return oldest?.sinceBeat ?? this.#beats;
  }

  #admit(socket: Socket): void {
    const { remoteAddress: address } = socket;
    if (address === undefined || socket.destroyed) {
      this.counters.unproved_gone++;
      socket.destroy();
      return;
    }
    const peer = peerOf(socket);
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
    if (this.#entry.begin(socket)) return;
    this.counters.unready++;
    socket.destroy();
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
    if (same.length >= this.#limits.unprovedPerAddressMax) return same;
    return all.length >= this.#limits.unprovedMax ? all : [];
  }

  #forget(peer: string): void {
    this.#unproved.delete(peer);
    this.#proved.delete(peer);
    this.#certificates.delete(peer);
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
    const {
      connections: _1,
      broken_calls: _2,
      broken_frames: _3,
      refused_calls: _4,
      // Whoever goes by himself was not turned away: hosts that enrol look in first.
      unproved_gone: _5,
      ...turnedAway
    } = this.counters;
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

/** As gRPC names a connection. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;
