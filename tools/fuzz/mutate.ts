/**
 * Changes bytes without knowing what they mean: bits, bytes, numbers of all widths, blocks that are cut
 * out, doubled, or taken from another input.
 *
 * One buffer is used again and again: what comes out is good until the next call.
 */
import type { Prng } from "@ttcs/units";
import { below, chance, pick } from "./target.ts";
import { DOUBLES, INTEGERS } from "./values.ts";

/** Longer inputs are cut off (bytes). */
const BYTES_MAX = 1 << 17;
/** Of a hundred inputs, so many are wholly random, */
const RANDOM_PERCENT = 2;
/** of up to so many bytes. */
const RANDOM_BYTES_MAX = 256;
/** Most changes of one input. */
const CHANGES_MAX = 4;
const BYTES_OF_NOTE = [0x00, 0x01, 0x09, 0x0a, 0x20, 0x22, 0x2d, 0x7f, 0x80, 0xff] as const;

/** See the module head. */
export class ByteMutator {
  readonly #bytes = new Uint8Array(BYTES_MAX);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #words: readonly string[];
  readonly #encoder = new TextEncoder();
  #length = 0;

  /** @param words of the format, put in now and then */
  constructor(words: readonly string[] = []) {
    this.#words = words;
  }

  /** An input made of one of the pool. */
  mutate(random: Prng, pool: readonly Uint8Array[]): Uint8Array {
    if (pool.length === 0 || chance(random, RANDOM_PERCENT)) return this.#random(random);
    return this.change(random, pick(random, pool), pool);
  }

  /** `input` with some changes. */
  change(random: Prng, input: Uint8Array, pool: readonly Uint8Array[]): Uint8Array {
    this.#length = Math.min(input.length, BYTES_MAX);
    this.#bytes.set(input.subarray(0, this.#length));
    const changes = 1 + below(random, CHANGES_MAX);
    for (let i = 0; i < changes; i++) this.#change(random, pool);
    return this.#bytes.subarray(0, this.#length);
  }

  #random(random: Prng): Uint8Array {
    this.#length = below(random, RANDOM_BYTES_MAX);
    for (let i = 0; i < this.#length; i++) this.#bytes[i] = random.next();
    return this.#bytes.subarray(0, this.#length);
  }

  #change(random: Prng, pool: readonly Uint8Array[]): void {
    if (this.#length === 0) {
      this.#insert(random, Uint8Array.of(random.next()));
      return;
    }
    const at = below(random, this.#length);
    const kind = below(random, 12);
    if (kind < 2) this.#bytes[at] ^= 1 << below(random, 8);
    else if (kind === 2) this.#bytes[at] = random.next();
    else if (kind === 3) this.#bytes[at] = pick(random, BYTES_OF_NOTE);
    else if (kind < 6) this.#number(random, at);
    else if (kind === 6) this.#length = at;
    else if (kind === 7) this.#remove(at, this.#blockAt(random, at));
    else if (kind === 8) {
      this.#insert(random, this.#bytes.slice(at, at + this.#blockAt(random, at)));
    } else if (kind === 9) this.#splice(random, at, pick(random, pool));
    else if (kind === 10 && this.#words.length > 0) this.#word(random);
    else this.#insert(random, Uint8Array.of(random.next(), random.next()));
  }

  /** Length of a block that begins at `at`: short ones mostly. */
  #blockAt(random: Prng, at: number): number {
    const most = this.#length - at;
    return 1 + below(random, chance(random, 80) ? Math.min(16, most) : most);
  }

  #number(random: Prng, at: number): void {
    const isLittle = chance(random, 50);
    const bits = BigInt.asUintN(64, pick(random, INTEGERS));
    const room = this.#length - at;
    const width = below(random, 4);
    if (width === 0 && room >= 2) this.#view.setUint16(at, Number(bits & 0xffffn), isLittle);
    else if (width === 1 && room >= 4)
      this.#view.setUint32(at, Number(bits & 0xffff_ffffn), isLittle);
    else if (width === 2 && room >= 8) this.#view.setBigUint64(at, bits, isLittle);
    else if (room >= 8) this.#view.setFloat64(at, pick(random, DOUBLES), isLittle);
    else this.#bytes[at] = Number(bits & 0xffn);
  }

  #word(random: Prng): void {
    this.#insert(random, this.#encoder.encode(pick(random, this.#words)));
  }

  /** Puts `block` somewhere, as far as there is room. */
  #insert(random: Prng, block: Uint8Array): void {
    const at = below(random, this.#length + 1);
    const count = Math.min(block.length, BYTES_MAX - this.#length);
    this.#bytes.copyWithin(at + count, at, this.#length);
    this.#bytes.set(block.subarray(0, count), at);
    this.#length += count;
  }

  #remove(at: number, count: number): void {
    this.#bytes.copyWithin(at, at + count, this.#length);
    this.#length -= count;
  }

  /** Goes on with the end of another input from `at` on. */
  #splice(random: Prng, at: number, other: Uint8Array): void {
    const from = other.length === 0 ? 0 : below(random, other.length);
    const tail = other.subarray(from, from + BYTES_MAX - at);
    this.#bytes.set(tail, at);
    this.#length = at + tail.length;
  }
}
