/**
 * Who may probe whom: seals probes with a MAC, and lets in those that are sealed right, once each.
 *
 * Problem: whoever can send a datagram can forge a probe, and whoever can read one can send it again; a
 * single wrong stamp moves a clock. Approach: HMAC-SHA-256 (RFC 2104), its first 128 bits, over the whole
 * probe but the correctionField, which transparent clocks rewrite. Every directed edge has keys of its
 * own, which the coordinator deals over TLS, and each key a window of the numbers seen (`replay-window.ts`).
 * What costs least is asked first: who, with which key, which number; the MAC last.
 *
 * Why what was captured is of no use after a restart: keys are made for two processes. One that starts
 * again is another, and is dealt other keys, as are its neighbours towards it; with the old ones nothing
 * is let in any more. So no window has to outlive a process.
 *
 * A neighbour that is dealt away and back gets the very keys that it had: what was seen under a key is kept
 * when the key is out of use.
 *
 * The key function comes from outside; it may allocate. What it cannot see: how long a probe was held up
 * on its way. A delayed probe is a true one; for that there are bounds.
 */
import { assert, isSameBytes } from "@ttcs/units";
import {
  copyCovered,
  PROBE_COVERED_BYTES,
  PROBE_MAC_AT,
  PROBE_MAC_BYTES,
  type ProbeFields,
} from "./probe.ts";
import { ReplayWindow } from "./replay-window.ts";

/** A key as it was dealt. */
export interface ProbeKeyBytes {
  /** Names it in probes (1 to 65 535). */
  readonly number: number;
  readonly key: Uint8Array;
}

/** The keys of the two directed edges to and from a neighbour. */
export interface EdgeKeys {
  readonly hostNumber: number;
  /** What this host seals its probes with; absent: it sends none. */
  readonly send: ProbeKeyBytes | undefined;
  /** What it lets in. */
  readonly receive: readonly ProbeKeyBytes[];
}

/** At least PROBE_MAC_BYTES of HMAC-SHA-256 of `data`; `Key` is the key as the library likes it. */
export interface ProbeMac<Key> {
  readonly keyOf: (bytes: Uint8Array) => Key;
  readonly mac: (key: Key, data: Uint8Array) => Uint8Array;
}

/** Why a well-formed probe is not let in. */
export type ProbeRefusal = "unknown sender" | "unknown key" | "replayed" | "forged";

/**
 * So many keys out of use are remembered with what was seen under them: a host has some ten neighbours, an
 * anchor 64, and of each at most three keys at a time.
 */
const RETIRED_MAX = 1_024;

interface OpenKey<Key> {
  readonly bytes: ProbeKeyBytes;
  readonly key: Key;
  readonly window: ReplayWindow;
}

/** Writes the MAC into the probe at `offset`; `scratch` has PROBE_COVERED_BYTES. */
export function sealProbe<Key>(
  bytes: Uint8Array,
  offset: number,
  { mac }: ProbeMac<Key>,
  key: Key,
  scratch: Uint8Array,
): void {
  assert(scratch.length === PROBE_COVERED_BYTES, "the scratch is as long as what is covered");
  copyCovered(bytes, offset, scratch);
  const sum = mac(key, scratch);
  for (let i = 0; i < PROBE_MAC_BYTES; i++) bytes[offset + PROBE_MAC_AT + i] = sum[i];
}

/** The receiving side of a host. */
export class ProbeGate<Key> {
  readonly #mac: ProbeMac<Key>;
  #senders = new Map<number, readonly OpenKey<Key>[]>();
  /** Keys out of use, each neighbour's together, the longest retired first. */
  readonly #retired = new Map<number, readonly OpenKey<Key>[]>();
  readonly #scratch = new Uint8Array(PROBE_COVERED_BYTES);

  constructor(mac: ProbeMac<Key>) {
    this.#mac = mac;
  }

  /** From now on these may probe this host; keys that stay, or come back, keep their windows. */
  setKeys(edges: readonly EdgeKeys[]): void {
    const before = this.#senders;
    this.#senders = new Map();
    for (const { hostNumber, receive } of edges) {
      const old = [...(before.get(hostNumber) ?? []), ...(this.#retired.get(hostNumber) ?? [])];
      const open = receive.map((bytes) => {
        const known = old.find((k) => isSameKey(k.bytes, bytes));
        return known ?? { bytes, key: this.#mac.keyOf(bytes.key), window: new ReplayWindow() };
      });
      this.#senders.set(hostNumber, open);
      this.#retire(
        hostNumber,
        old.filter((k) => !open.includes(k)),
      );
      before.delete(hostNumber);
    }
    for (const [hostNumber, keys] of before) {
      this.#retire(hostNumber, [...keys, ...(this.#retired.get(hostNumber) ?? [])]);
    }
  }

  #retire(hostNumber: number, keys: readonly OpenKey<Key>[]): void {
    this.#retired.delete(hostNumber);
    if (keys.length === 0) return;
    this.#retired.set(hostNumber, keys.slice(0, RETIRED_MAX));
    let count = 0;
    for (const some of this.#retired.values()) count += some.length;
    for (const [oldest, some] of this.#retired) {
      if (count <= RETIRED_MAX) return;
      count -= some.length;
      this.#retired.delete(oldest);
    }
  }

  /** Why the probe at `offset`, decoded into `fields`, is not let in; undefined: it is, this once. */
  judge(bytes: Uint8Array, offset: number, fields: ProbeFields): ProbeRefusal | undefined {
    const keys = this.#senders.get(fields.fromHost);
    if (keys === undefined) return "unknown sender";
    let open: OpenKey<Key> | undefined;
    // A plain loop: a closure would be an allocation for each probe.
    for (let i = 0; i < keys.length; i++) {
      if (keys[i].bytes.number === fields.keyNumber) open = keys[i];
    }
    if (open === undefined) return "unknown key";
    if (!open.window.isFresh(fields.probe)) return "replayed";
    copyCovered(bytes, offset, this.#scratch);
    const sum = this.#mac.mac(open.key, this.#scratch);
    let difference = 0;
    for (let i = 0; i < PROBE_MAC_BYTES; i++) {
      difference |= sum[i] ^ bytes[offset + PROBE_MAC_AT + i];
    }
    if (difference !== 0) return "forged";
    open.window.mark(fields.probe);
    return undefined;
  }
}

/** True for the same key under the same number. */
export const isSameKey = (a: ProbeKeyBytes, b: ProbeKeyBytes): boolean =>
  a.number === b.number && isSameBytes(a.key, b.key);
