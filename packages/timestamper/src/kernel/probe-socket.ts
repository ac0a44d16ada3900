/**
 * A UDP socket whose probes carry the kernel's software stamps both ways.
 *
 * Problem: a stamp taken in this process is late by the scheduler, tens of microseconds to
 * milliseconds; the kernel's is taken next to the driver.
 *
 * Approach: SO_TIMESTAMPING (Documentation/networking/timestamping.rst of the kernel). A received
 * probe brings its stamp as a control message. A sent one comes back on the error queue: the whole
 * frame, link, IP and UDP headers first, with the stamp beside it. The probe at the end of the frame
 * says which one it was. The kernel's own numbering (OPT_ID) is not used: it counts packets that a
 * firewall drops, and runs ahead for good.
 *
 * Assumptions: sysctl net.core.tstamp_allow_data is 1 (the default) or CAP_NET_RAW is held;
 * otherwise the frame does not come back, and the self-check says so.
 *
 * Probes are sealed before they are sent, so that the two of a pair still leave back to back, and judged
 * when they are read, long after they were stamped (`ProbeGate` of the protocol). What cannot pass is
 * dropped in the kernel where that is possible (`socket-filter.ts`). A probe in the name of a host that
 * has been probed is heard only from that host's address and port.
 *
 * What it cannot see: how long a packet waits between stamp and wire.
 */
import type { KeyObject } from "node:crypto";
import {
  createProbeFields,
  decodeProbe,
  type EdgeKeys,
  encodeProbe,
  PROBE_BYTES,
  PROBE_COVERED_BYTES,
  ProbeGate,
  type ProbeRefusal,
  sealProbe,
} from "@ttcs/protocol";
import { assert } from "@ttcs/units";
import { halvesOf, putTime, reserveStamps } from "../columns.ts";
import type {
  ProbeCounters,
  ProbeIdentity,
  ProbeSocket,
  ProbeTarget,
  StampColumns,
} from "../types.ts";
import { attachFilter } from "./attach-filter.ts";
import {
  findSoftwareStamp,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  SOCKADDR_IN6,
  TIMESPEC,
} from "./layouts.ts";
import { libc } from "./libc.ts";
import { MessageBlock } from "./message-block.ts";
import { openStampedSocket } from "./open-socket.ts";
import { probeMac } from "./probe-mac.ts";
import { familyOf, isAt, placeOf, type SocketPlace, socketAddress } from "./socket-address.ts";
import { filterProgram } from "./socket-filter.ts";

/** Messages per call: above 16 the kernel's work dominates, and 64 keeps the memory small. */
const BATCH = 64;
/** Calls per drain and queue: a flood waits, or is lost in the kernel, and the worker goes on. */
const DRAIN_CALLS_MAX = 64;
/** Room for a returned frame (bytes): the probe behind Ethernet, VLAN tags, IPv6 and UDP. */
const FRAME_BYTES = 256;
/** Room for control messages (bytes): the stamp (64) and the error's description (up to 64). */
const CONTROL_BYTES = 256;
const EMPTY_NAME = new Uint8Array(0);

/** Where the socket listens. Port 0 takes a free one. */
export interface ProbeSocketOptions {
  readonly address: string;
  readonly port: number;
  /** False: nothing is dropped in the kernel, so that all of it is seen and counted here. */
  readonly isFiltered?: boolean;
}

/** What is counted here; the last is more than every probe socket counts. */
export interface KernelProbeCounters extends ProbeCounters {
  /** Probes that bear a neighbour's number and come from another address or port: dropped. */
  foreignSource: number;
}

/** A set of zero counters. */
export function createCounters(): KernelProbeCounters {
  return {
    sent: 0,
    sendErrors: 0,
    sentStamped: 0,
    received: 0,
    receivedUnstamped: 0,
    malformed: 0,
    unknownKeys: 0,
    replayed: 0,
    forged: 0,
    unknownSenders: 0,
    unkeyed: 0,
    injectedLoss: 0,
    foreignSource: 0,
  };
}

/** Where each refusal is counted. */
const refusals = {
  "unknown sender": "unknownSenders",
  "unknown key": "unknownKeys",
  replayed: "replayed",
  forged: "forged",
} as const satisfies Record<ProbeRefusal, keyof ProbeCounters>;

/** What probes to a neighbour are sealed with. */
interface SendKey {
  readonly number: number;
  readonly key: KeyObject;
}

/**
 * Opens a probe socket.
 *
 * Errors: PROBE_INTERFACE when the host does not have the address, PROBE_SOCKET when the port cannot
 * be had, KERNEL_CALL otherwise.
 */
export function openKernelProbeSocket(options: ProbeSocketOptions): ProbeSocket {
  return new KernelProbeSocket(options);
}

class KernelProbeSocket implements ProbeSocket {
  readonly port: number;
  readonly counters = createCounters();
  readonly #fd: number;
  readonly #family: number;
  readonly #outgoing = new MessageBlock(BATCH, {
    payload: PROBE_BYTES,
    control: 0,
    name: SOCKADDR_IN6.size,
  });
  readonly #incoming = new MessageBlock(BATCH, {
    payload: FRAME_BYTES,
    control: CONTROL_BYTES,
    name: SOCKADDR_IN6.size,
  });
  readonly #fields = createProbeFields();
  /** The kernel's bytes of each target's address; empty when it is none of this socket's family. */
  readonly #names = new WeakMap<ProbeTarget, Uint8Array>();
  /** Where each host that has been probed is; what comes from elsewhere in its name is not its own. */
  readonly #places = new Map<number, SocketPlace>();
  readonly #gate = new ProbeGate(probeMac);
  /** By the neighbour's number. */
  #sendKeys = new Map<number, SendKey>();
  #keys: readonly EdgeKeys[] = [];
  readonly #isFiltered: boolean;
  readonly #covered = new Uint8Array(PROBE_COVERED_BYTES);
  #domainNumber = 0;
  #hostNumber = 0;
  #closed = false;

  constructor(options: ProbeSocketOptions) {
    const { fd, port, family } = openStampedSocket(options.address, options.port);
    this.#fd = fd;
    this.port = port;
    this.#family = family;
    this.#isFiltered = options.isFiltered ?? true;
  }

  setIdentity(identity: ProbeIdentity): void {
    this.#domainNumber = identity.domainNumber;
    this.#hostNumber = identity.hostNumber;
    this.#filter();
  }

  setKeys(keys: readonly EdgeKeys[]): void {
    this.#keys = keys;
    this.#gate.setKeys(keys);
    this.#sendKeys = new Map();
    for (const { hostNumber, send } of keys) {
      if (!send) continue;
      const { number, key } = send;
      this.#sendKeys.set(hostNumber, { number, key: probeMac.keyOf(key) });
    }
    this.#filter();
  }

  /** A kernel that refuses leaves the work to us. */
  #filter(): void {
    if (!this.#isFiltered || this.#hostNumber === 0) return;
    const senders = this.#keys.map(({ hostNumber, receive }) => ({
      hostNumber,
      keyNumbers: receive.map(({ number }) => number),
    }));
    const program = filterProgram(this.#hostNumber, senders);
    if (program) attachFilter(this.#fd, program);
  }

  sendPairs(targets: readonly ProbeTarget[], pair: readonly number[]): void {
    assert(targets.length <= pair.length, "every target has a pair number");
    assert(!this.#closed, "a closed socket is not used");
    let filled = 0;
    for (let i = 0; i < targets.length; i++) {
      const name = this.#nameOf(targets[i]);
      if (name.length === 0) {
        this.counters.sendErrors += 2;
        continue;
      }
      const { hostNumber } = targets[i];
      const key = this.#sendKeys.get(hostNumber);
      if (key === undefined) {
        this.counters.unkeyed += 2;
        continue;
      }
      this.#fill(filled++, name, hostNumber, 2 * pair[i], key);
      this.#fill(filled++, name, hostNumber, 2 * pair[i] + 1, key);
      if (filled === BATCH) {
        this.#send(filled);
        filled = 0;
      }
    }
    this.#send(filled);
  }

  drain(sent: StampColumns, received: StampColumns): void {
    assert(!this.#closed, "a closed socket is not used");
    this.#drainQueue(MSG_DONTWAIT | MSG_ERRQUEUE, sent);
    this.#drainQueue(MSG_DONTWAIT, received);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    libc.close(this.#fd);
  }

  #nameOf(target: ProbeTarget): Uint8Array {
    let name = this.#names.get(target);
    if (name === undefined) {
      name = socketAddress(target.address, target.port) ?? EMPTY_NAME;
      if (name.length > 0 && familyOf(name) !== this.#family) name = EMPTY_NAME;
      this.#names.set(target, name);
      if (name.length > 0) this.#places.set(target.hostNumber, placeOf(name));
    }
    return name;
  }

  #fill(slot: number, name: Uint8Array, toHost: number, probe: number, key: SendKey): void {
    const block = this.#outgoing;
    const fields = this.#fields;
    fields.domainNumber = this.#domainNumber;
    fields.fromHost = this.#hostNumber;
    fields.toHost = toHost;
    fields.probe = probe;
    fields.keyNumber = key.number;
    fields.flags = 0;
    block.setName(slot, name);
    const at = block.payloadAt(slot);
    encodeProbe(block.memory.bytes, at, fields);
    sealProbe(block.memory.bytes, at, probeMac, key.key, this.#covered);
  }

  /** Sends the first `count` messages; those that the kernel refuses are counted and passed over. */
  #send(count: number): void {
    const block = this.#outgoing;
    let first = 0;
    while (first < count) {
      const done = libc.sendmmsg(this.#fd, block.headerAddress(first), count - first, MSG_DONTWAIT);
      if (done > 0) {
        this.counters.sent += done;
        first += done;
      } else {
        // Refused by a route, a firewall, a neighbour's ICMP message or a full buffer: the probe is
        // lost as on the wire, and the next one is tried.
        this.counters.sendErrors++;
        first++;
      }
    }
  }

  #drainQueue(flags: number, out: StampColumns): void {
    const block = this.#incoming;
    for (let call = 0; call < DRAIN_CALLS_MAX; call++) {
      const count = libc.recvmmsg(this.#fd, block.headerAddress(0), BATCH, flags);
      if (count <= 0) return;
      reserveStamps(out, count);
      const halves = halvesOf(out.systemNs);
      const isSent = (flags & MSG_ERRQUEUE) !== 0;
      for (let i = 0; i < count; i++) {
        if (isSent) this.#takeSent(i, out, halves);
        else this.#takeReceived(i, out, halves);
      }
      block.reset(count);
      if (count < BATCH) return;
    }
  }

  #takeSent(slot: number, out: StampColumns, halves: Uint32Array): void {
    const block = this.#incoming;
    const stampAt = this.#stampAt(slot);
    const length = block.lengthOf(slot);
    // Without a stamp it is the echo of an ICMP error, of no use here.
    if (stampAt < 0 || length < PROBE_BYTES) return;
    const probeAt = block.payloadAt(slot) + length - PROBE_BYTES;
    if (decodeProbe(block.memory.bytes, probeAt, PROBE_BYTES, this.#fields) !== undefined) return;
    this.counters.sentStamped++;
    this.#append(out, halves, this.#fields.toHost, stampAt);
  }

  #takeReceived(slot: number, out: StampColumns, halves: Uint32Array): void {
    const block = this.#incoming;
    const fields = this.#fields;
    const truncated = (block.flagsOf(slot) & MSG_TRUNC) !== 0;
    const length = block.lengthOf(slot);
    const isOurs =
      !truncated &&
      decodeProbe(block.memory.bytes, block.payloadAt(slot), length, fields) === undefined &&
      fields.domainNumber === this.#domainNumber &&
      fields.toHost === this.#hostNumber &&
      this.#hostNumber !== 0;
    if (!isOurs) {
      this.counters.malformed++;
      return;
    }
    const place = this.#places.get(fields.fromHost);
    if (place !== undefined && !isAt(block.memory.view, block.nameAt(slot), place)) {
      this.counters.foreignSource++;
      return;
    }
    const refusal = this.#gate.judge(block.memory.bytes, block.payloadAt(slot), fields);
    if (refusal !== undefined) {
      this.counters[refusals[refusal]]++;
      return;
    }
    const stampAt = this.#stampAt(slot);
    if (stampAt < 0) {
      this.counters.receivedUnstamped++;
      return;
    }
    this.counters.received++;
    this.#append(out, halves, fields.fromHost, stampAt);
  }

  #stampAt(slot: number): number {
    const block = this.#incoming;
    return findSoftwareStamp(block.memory.view, block.controlAt(slot), block.controlLengthOf(slot));
  }

  #append(out: StampColumns, halves: Uint32Array, peer: number, stampAt: number): void {
    const { view } = this.#incoming.memory;
    const at = out.length++;
    out.peer[at] = peer;
    out.probe[at] = this.#fields.probe;
    const seconds = view.getUint32(stampAt + TIMESPEC.seconds, true);
    putTime(halves, at, seconds, view.getUint32(stampAt + TIMESPEC.nanoseconds, true));
  }
}
