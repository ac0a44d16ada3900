/**
 * Writes protobuf fields into a buffer that is used again and again.
 *
 * Problem: a coordinator says a thousand corrections of some five hundred bytes twice a second, and a
 * general encoder makes a dozen objects for each of them. Approach: one buffer, which grows to the
 * largest message, and field by field into it. A nested message is written behind one byte for its
 * length and moved up where that takes more.
 *
 * Fields with their zero value are left out, as proto3 has it (protobuf encoding guide, "Default Values"
 * and "Length-Delimited Records").
 */
import { getTextEncoding } from "@bufbuild/protobuf/wire";

const FIRST_BYTES = 4_096;
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
/** The longest varint: 64 bits, seven in each byte. */
const VARINT_BYTES_MAX = 10;
const TAG_BYTES_MAX = 5;

/** See the module head. */
export class WireWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Begins a new message; what was written before is lost. */
  reset(): void {
    this.#at = 0;
  }

  /** What was written; good until the next `reset`. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  uint32(field: number, value: number): void {
    if (value === 0) return;
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  uint64(field: number, value: bigint): void {
    if (value === 0n) return;
    this.#tag(field, VARINT);
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fffffffn; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
    this.#varint(Number(rest));
  }

  bool(field: number, value: boolean): void {
    if (value) this.uint32(field, 1);
  }

  double(field: number, value: number): void {
    // -0 is no zero value.
    if (Object.is(value, 0)) return;
    this.#tag(field, FIXED64);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  sfixed64(field: number, value: bigint): void {
    if (value === 0n) return;
    this.#tag(field, FIXED64);
    this.#view.setBigInt64(this.#at, value, true);
    this.#at += 8;
  }

  /** An empty one is left out; see `element` for those in a list. */
  string(field: number, value: string): void {
    if (value !== "") this.element(field, value);
  }

  /** A string of a list. */
  element(field: number, value: string): void {
    const start = this.begin(field);
    this.#reserve(value.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.#foreign(value);
        this.end(start);
        return;
      }
      bytes[at++] = code;
    }
    this.#at = at;
    this.end(start);
  }

  /** Opens a nested message; give the result to `end`. */
  begin(field: number): number {
    this.#tag(field, DELIMITED);
    return this.#at++;
  }

  end(start: number): void {
    const length = this.#at - start - 1;
    if (length < 0x80) {
      this.#bytes[start] = length;
      return;
    }
    let prefix = 1;
    for (let rest = length; rest > 0x7f; rest >>>= 7) prefix++;
    this.#reserve(prefix);
    this.#bytes.copyWithin(start + prefix, start + 1, this.#at);
    this.#at = start;
    this.#varint(length);
    this.#at = start + prefix + length;
  }

  #foreign(value: string): void {
    const encoded = getTextEncoding().encodeUtf8(value);
    this.#reserve(encoded.length);
    this.#bytes.set(encoded, this.#at);
    this.#at += encoded.length;
  }

  /** Every field begins here, so that there is room for any of a fixed size. */
  #tag(field: number, wireType: number): void {
    this.#reserve(TAG_BYTES_MAX + VARINT_BYTES_MAX);
    this.#varint((field << 3) | wireType);
  }

  #varint(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#at + count));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
