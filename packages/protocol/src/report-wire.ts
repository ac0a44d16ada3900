/**
 * Reads a report: the message that every agent sends every half second, with a fit for each edge.
 *
 * Problem: the general decoder makes a dictionary of every fit, which is slow to make, slow to read and
 * long to be collected; there are ten thousand of them a second. Approach: the bytes are read in one
 * pass, and each fit is made at once, with all its fields. Whatever is unusual (unknown fields, parts
 * that come twice, strings beyond ASCII, bytes that are no message) is left to the general decoder, so
 * that there is one opinion of what is right.
 */
import { HostState } from "./gen/clocksync/common_pb.js";
import type {
  AgentMessage,
  DomainSegment,
  EdgeFit,
  Report,
  SourceLine,
} from "./gen/clocksync/coordinator_pb.js";

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
/** Numbers of up to seven bytes are read here; larger ones are unusual. */
const VARINT_BITS_MAX = 49;
const ASCII_MAX = 0x7f;

/** Tags (coordinator.proto, common.proto): the number of a field with how it is written. */
const varint = (field: number) => (field << 3) | VARINT;
const fixed64 = (field: number) => (field << 3) | FIXED64;
const delimited = (field: number) => (field << 3) | DELIMITED;

/** Thrown by no other: what is read here is unusual. */
class Unusual extends Error {}
const UNUSUAL = new Unusual();

/** The message in `bytes`, if it is a report as agents send it; undefined: ask the general decoder. */
export function readReport(bytes: Uint8Array): AgentMessage | undefined {
  const reader = new Reader(bytes);
  try {
    return readMessage(reader, bytes.length);
  } catch (error) {
    // A read beyond the last byte is for the general decoder to put into words.
    if (error instanceof Unusual || error instanceof RangeError) return undefined;
    throw error;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (let bits = 0; bits < VARINT_BITS_MAX; bits += 7) {
      const byte = this.#view.getUint8(this.at++);
      if (byte < 0x80) return value + byte * scale;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    throw UNUSUAL;
  }

  uint32(): number {
    const value = this.number();
    if (value > 0xffff_ffff) throw UNUSUAL;
    return value;
  }

  /** Larger ones stand for numbers below 0. */
  enumeration(): number {
    const value = this.number();
    if (value > 0x7fff_ffff) throw UNUSUAL;
    return value;
  }

  bool(): boolean {
    const value = this.number();
    if (value > 1) throw UNUSUAL;
    return value === 1;
  }

  double(): number {
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  sfixed64(): bigint {
    const value = this.#view.getBigInt64(this.at, true);
    this.at += 8;
    return value;
  }

  /** Length of a nested message or string; returns where it ends. */
  end(): number {
    const length = this.number();
    const end = this.at + length;
    if (end > this.#bytes.length) throw UNUSUAL;
    return end;
  }

  string(): string {
    const end = this.end();
    let text = "";
    while (this.at < end) {
      const code = this.#bytes[this.at++];
      if (code > ASCII_MAX) throw UNUSUAL;
      text += String.fromCharCode(code);
    }
    return text;
  }

  /** Call when a message has been read that ends at `end`. */
  close(end: number): void {
    if (this.at !== end) throw UNUSUAL;
  }
}

function readMessage(reader: Reader, end: number): AgentMessage {
  let header: AgentMessage["header"];
  let report: Report | undefined;
  while (reader.at < end) {
    const tag = reader.uint32();
    if (tag === delimited(1) && !header) header = readHeader(reader, reader.end());
    else if (tag === delimited(3) && !report) report = readBody(reader, reader.end());
    else throw UNUSUAL;
  }
  reader.close(end);
  if (!header || !report) throw UNUSUAL;
  return {
    $typeName: "clocksync.AgentMessage",
    header,
    body: { case: "report", value: report },
  };
}

function readHeader(reader: Reader, end: number): NonNullable<AgentMessage["header"]> {
  let domain = "";
  let term = 0n;
  let round = 0n;
  while (reader.at < end) {
    const tag = reader.uint32();
    if (tag === delimited(1)) domain = reader.string();
    else if (tag === varint(2)) term = BigInt(reader.number());
    else if (tag === varint(3)) round = BigInt(reader.number());
    else throw UNUSUAL;
  }
  reader.close(end);
  return { $typeName: "clocksync.Header", domain, term, round };
}

function readBody(reader: Reader, end: number): Report {
  const fits: EdgeFit[] = [];
  let source: SourceLine | undefined;
  let state = HostState.UNSPECIFIED;
  let reason = "";
  let offsetNs = 0;
  let boundNs = 0;
  let line: DomainSegment | undefined;
  let lineExcessPpb = 0;
  while (reader.at < end) {
    const tag = reader.uint32();
    if (tag === delimited(1)) fits.push(readFit(reader, reader.end()));
    else if (tag === delimited(2) && !source) source = readSource(reader, reader.end());
    else if (tag === varint(3)) state = reader.enumeration();
    else if (tag === delimited(4)) reason = reader.string();
    else if (tag === fixed64(5)) offsetNs = reader.double();
    else if (tag === fixed64(6)) boundNs = reader.double();
    else if (tag === delimited(7) && !line) line = readSegment(reader, reader.end());
    else if (tag === fixed64(8)) lineExcessPpb = reader.double();
    else throw UNUSUAL;
  }
  reader.close(end);
  const report: Report = {
    $typeName: "clocksync.Report",
    fits,
    state,
    reason,
    offsetNs,
    boundNs,
    lineExcessPpb,
  };
  if (source) report.source = source;
  if (line) report.line = line;
  return report;
}

function readSource(reader: Reader, end: number): SourceLine {
  let rawNs = 0n;
  let systemUnixNs = 0n;
  let freqPpb = 0;
  let maxErrorNs = 0;
  let synchronised = false;
  let steered = false;
  while (reader.at < end) {
    const tag = reader.uint32();
    if (tag === fixed64(1)) rawNs = reader.sfixed64();
    else if (tag === fixed64(2)) systemUnixNs = reader.sfixed64();
    else if (tag === fixed64(3)) freqPpb = reader.double();
    else if (tag === fixed64(4)) maxErrorNs = reader.double();
    else if (tag === varint(5)) synchronised = reader.bool();
    else if (tag === varint(6)) steered = reader.bool();
    else throw UNUSUAL;
  }
  reader.close(end);
  const $typeName = "clocksync.SourceLine";
  return { $typeName, rawNs, systemUnixNs, freqPpb, maxErrorNs, synchronised, steered };
}

function readSegment(reader: Reader, end: number): DomainSegment {
  let rawNs = 0n;
  let domainUnixNs = 0n;
  let domainFractionNs = 0;
  let freqPpb = 0;
  while (reader.at < end) {
    const tag = reader.uint32();
    if (tag === fixed64(1)) rawNs = reader.sfixed64();
    else if (tag === fixed64(2)) domainUnixNs = reader.sfixed64();
    else if (tag === fixed64(3)) domainFractionNs = reader.double();
    else if (tag === fixed64(4)) freqPpb = reader.double();
    else throw UNUSUAL;
  }
  reader.close(end);
  const $typeName = "clocksync.DomainSegment";
  return { $typeName, rawNs, domainUnixNs, domainFractionNs, freqPpb };
}

/** Names of the fields of a fit that are doubles, by their numbers; gaps are no doubles. */
const FIT_DOUBLES = 24;
const doubles = new Float64Array(FIT_DOUBLES);

function readFit(reader: Reader, end: number): EdgeFit {
  let owner = 0;
  let other = 0;
  let audit = false;
  let distrust = "";
  let ownerBaseRawNs = 0n;
  let otherBaseRawNs = 0n;
  doubles.fill(0);
  while (reader.at < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field > 6 && field < FIT_DOUBLES && tag === fixed64(field))
      doubles[field] = reader.double();
    else if (tag === varint(1)) owner = reader.uint32();
    else if (tag === varint(2)) other = reader.uint32();
    else if (tag === varint(3)) audit = reader.bool();
    else if (tag === delimited(4)) distrust = reader.string();
    else if (tag === fixed64(5)) ownerBaseRawNs = reader.sfixed64();
    else if (tag === fixed64(6)) otherBaseRawNs = reader.sfixed64();
    else throw UNUSUAL;
  }
  reader.close(end);
  return {
    $typeName: "clocksync.EdgeFit",
    owner,
    other,
    audit,
    distrust,
    ownerBaseRawNs,
    otherBaseRawNs,
    midNs: doubles[7],
    offsetNs: doubles[8],
    freqPpb: doubles[9],
    offsetSigmaNs: doubles[10],
    freqSigmaPpb: doubles[11],
    belowBoundNs: doubles[12],
    aboveBoundNs: doubles[13],
    delayForwardNsMin: doubles[14],
    delayReverseNsMin: doubles[15],
    jitterForwardNs: doubles[16],
    jitterReverseNs: doubles[17],
    lossForward: doubles[18],
    lossReverse: doubles[19],
    keptShare: doubles[20],
    slowSigmaNs: doubles[21],
    ownerCarrySigmaNs: doubles[22],
    otherCarrySigmaNs: doubles[23],
  };
}
