/**
 * Deals the keys of the mesh's directed edges.
 *
 * A key is derived from a secret of this leadership and from all that it shall hold for: the two hosts,
 * the two runs of their agents, and a generation that counts up before an hour has passed. So nothing has
 * to be kept, both ends of an edge are told the same, and an agent that starts again shares no key with
 * its former self. The number by which a key goes in probes is drawn in the same way: who has not read
 * one cannot guess it.
 *
 * The function that derives is the shell's; the secret never comes here. Another leader has another
 * secret: agents then let in what both have dealt, for a while.
 */
import type { ProbeKey } from "@ttcs/protocol";
import { assert, isSameBytes } from "@ttcs/units";
import type { Host } from "./host.ts";

/** At least KEY_BYTES + 2 bytes that nobody can tell from random ones without the secret. */
export type DeriveKey = (label: Uint8Array) => Uint8Array;

/** A generation lasts this long (ms): below an hour. */
export const GENERATION_MS = 50 * 60_000;
const KEY_BYTES = 32;
const PURPOSE = "ttcs probe key";
const INSTANCE_BYTES_MAX = 64;
const KEYS_KEPT_PER_HOST = 64;

interface Derived {
  readonly fromRun: Uint8Array;
  readonly toRun: Uint8Array;
  readonly key: ProbeKey;
}

/** See the module head. */
export class KeyDealer {
  readonly #derive: DeriveKey;
  #generation = 0;
  #sinceMs = Number.NaN;
  /** Keys of this generation: a fleet that comes all at once is told its neighbours many times. */
  #derived = new WeakMap<Host, Map<Host, Derived>>();

  constructor(derive: DeriveKey) {
    this.#derive = derive;
  }

  get generation(): number {
    return this.#generation;
  }

  /** True when a new generation has begun: everybody has to be told. */
  look(nowMs: number): boolean {
    if (Number.isNaN(this.#sinceMs)) this.#sinceMs = nowMs;
    if (nowMs - this.#sinceMs < GENERATION_MS) return false;
    this.#sinceMs = nowMs;
    this.#generation++;
    this.#derived = new WeakMap();
    return true;
  }

  /** The key of the edge from one host to another. */
  keyOf(from: Host, to: Host): ProbeKey {
    const known = this.#derived.get(from) ?? new Map<Host, Derived>();
    const last = known.get(to);
    const [fromRun, toRun] = [from.hello.instance, to.hello.instance];
    if (last && isSameBytes(last.fromRun, fromRun) && isSameBytes(last.toRun, toRun))
      return last.key;
    const key = this.#keyOf(from, to);
    // Neighbours of former deals would heap up.
    if (known.size >= KEYS_KEPT_PER_HOST) known.clear();
    this.#derived.set(from, known.set(to, { fromRun, toRun, key }));
    return key;
  }

  #keyOf(from: Host, to: Host): ProbeKey {
    const bytes = this.#derive(labelOf(this.#generation, from, to));
    assert(bytes.length >= KEY_BYTES + 2, "a derived key is long enough");
    const number = (bytes[KEY_BYTES] << 8) | bytes[KEY_BYTES + 1];
    // Number 0 stands for no key.
    return {
      $typeName: "clocksync.ProbeKey",
      number: number === 0 ? 1 : number,
      key: bytes.slice(0, KEY_BYTES),
    };
  }
}

/** What a key is for, each part with its length, so that no two labels are alike. */
function labelOf(generation: number, from: Host, to: Host): Uint8Array {
  const parts = [
    Array.from(PURPOSE, (c) => c.charCodeAt(0)),
    number32(generation),
    number32(from.number),
    [...from.hello.instance.subarray(0, INSTANCE_BYTES_MAX)],
    number32(to.number),
    [...to.hello.instance.subarray(0, INSTANCE_BYTES_MAX)],
  ];
  return Uint8Array.from(parts.flatMap((part) => [part.length, ...part]));
}

const number32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
