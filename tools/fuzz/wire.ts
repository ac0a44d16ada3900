/**
 * Changes messages below their schema: fields in another order, doubled, left out, numbers of ten bytes,
 * messages within messages within messages.
 */
import type { Prng } from "@ttcs/units";
import { below, chance, pick } from "./target.ts";
import { DOUBLES, INTEGERS } from "./values.ts";

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;
/** Ten bytes, the longest that a number may have, and one more than that. */
const LONG = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
const TOO_LONG = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
/** Deeper than any decoder follows. */
const DEPTH = 120;
const DOUBLED_MAX = 50;

/** One field: from its tag to its end, and where its value begins. */
interface Span {
  readonly from: number;
  readonly value: number;
  readonly end: number;
  readonly type: number;
}

/** A message with one change; the same where it is none. */
export function changeWire(random: Prng, bytes: Uint8Array): Uint8Array {
  const spans = spansOf(bytes);
  if (spans.length === 0) return bytes;
  const parts = spans.map(({ from, end }) => bytes.subarray(from, end));
  const at = below(random, spans.length);
  const span = spans[at];
  const kind = below(random, 8);
  if (kind === 0) return joined(shuffled(parts, random));
  if (kind === 1) parts.splice(at, 1);
  else if (kind === 2) {
    const count = chance(random, 10) ? DOUBLED_MAX : 1;
    parts.splice(at, 0, ...Array.from({ length: count }, () => parts[at]));
  } else if (span.type === DELIMITED) parts[at] = inside(random, bytes, span);
  else parts[at] = joined([bytes.subarray(span.from, span.value), otherNumber(random, span.type)]);
  return joined(parts);
}

/** A number as it is written in a field of that type, or as none is. */
function otherNumber(random: Prng, type: number): Uint8Array {
  if (type === VARINT) {
    const kind = below(random, 10);
    if (kind === 0) return pick(random, [LONG, TOO_LONG]);
    return varintOf(
      kind < 5 ? BigInt(below(random, 10)) : BigInt.asUintN(64, pick(random, INTEGERS)),
    );
  }
  const bytes = new Uint8Array(type === FIXED64 ? 8 : 4);
  const view = new DataView(bytes.buffer);
  if (type === FIXED32) view.setUint32(0, Number(BigInt.asUintN(32, pick(random, INTEGERS))), true);
  else if (chance(random, 50)) view.setFloat64(0, pick(random, DOUBLES), true);
  else view.setBigUint64(0, BigInt.asUintN(64, pick(random, INTEGERS)), true);
  return bytes;
}

/** Changes what is in a field that has a length, or puts it into itself again and again. */
function inside(random: Prng, bytes: Uint8Array, { from, value, end }: Span): Uint8Array {
  const [, start] = varintAt(bytes, value);
  const tag = bytes.subarray(from, value);
  let body = bytes.subarray(start, end);
  if (chance(random, 90)) {
    const changed = changeWire(random, body);
    return joined([tag, lengthOf(changed), changed]);
  }
  for (let i = 0; i < DEPTH; i++) body = joined([tag, lengthOf(body), body]);
  return body;
}

/** The fields, as far as they can be told apart. */
function spansOf(bytes: Uint8Array): Span[] {
  const spans: Span[] = [];
  for (let from = 0; from < bytes.length; ) {
    const [tag, value] = varintAt(bytes, from);
    const type = tag & 7;
    let end = value;
    if (type === VARINT) end = varintAt(bytes, value)[1];
    else if (type === FIXED64) end += 8;
    else if (type === FIXED32) end += 4;
    else if (type === DELIMITED) {
      const [length, start] = varintAt(bytes, value);
      end = start + length;
    } else break;
    if (end > bytes.length) break;
    spans.push({ from, value, end, type });
    from = end;
  }
  return spans;
}

/** A number of up to 32 bits, and where it ends. */
function varintAt(bytes: Uint8Array, from: number): [number, number] {
  let value = 0;
  let at = from;
  for (let bits = 0; at < bytes.length && bits < 70; bits += 7) {
    const byte = bytes[at++];
    if (bits < 28) value |= (byte & 0x7f) << bits;
    if (byte < 0x80) break;
  }
  return [value >>> 0, at];
}

const lengthOf = (body: Uint8Array): Uint8Array => varintOf(BigInt(body.length));

function varintOf(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function shuffled(parts: readonly Uint8Array[], random: Prng): Uint8Array[] {
  const all = [...parts];
  for (let i = all.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
