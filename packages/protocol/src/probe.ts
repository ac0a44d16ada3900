/**
 * The bytes of a probe.
 *
 * Problem: network cards that cannot stamp every packet stamp PTP version 2 event messages on UDP
 * port 319, and transparent clocks add up their residence time in such messages. So a probe has to
 * be one, and still must not disturb a PTP daemon that listens on the same network.
 *
 * Approach: a Delay_Req message (IEEE 1588-2019, 13.3 "Header" and 13.6) of 44 bytes, followed by
 * one ORGANIZATION_EXTENSION TLV (14.3) with our fields. Delay_Req rather than Sync, because a card
 * in one-step mode rewrites Sync messages when it sends them, and a two-step transparent clock waits
 * for the Follow_Up of each Sync. A PTP daemon drops the probe by its domainNumber or minorSdoId.
 * docs/protocol.md has the same layout as a picture.
 *
 * Assumptions: one probe per datagram, nothing behind it. All numbers are big-endian. Byte
 * arithmetic instead of a DataView keeps the packet path free of allocations.
 *
 * What it cannot see: who really sent a probe. Its last 16 bytes are the place of a message
 * authentication code (MAC), which `probe-gate.ts` computes and checks; the key number says with which
 * of the edge's keys. Key number 0 is nobody's.
 */
import { assert } from "@ttcs/units";

/** Length of a probe (bytes): 44 of Delay_Req and 46 of TLV. Even, as PTP wants its messages. */
export const PROBE_BYTES = 90;

/**
 * PTP domainNumber of probes where nobody chose another (0 to 255). It lies among those free for any
 * use (4 to 127) and outside the ranges of the telecom and media profiles (4 to 63, and 127).
 */
export const PROBE_DOMAIN_NUMBER = 117;

/** minorSdoId of every probe: "T". Any value but 0 keeps PTP daemons from listening. */
export const PROBE_MINOR_SDO_ID = 0x54;

/** Largest probe number: the largest whole number up to which a double counts without gaps. */
export const PROBE_NUMBER_MAX = Number.MAX_SAFE_INTEGER;

/** majorSdoId 0 in the upper half of the byte, messageType 1 (Delay_Req) in the lower. */
const TYPE_DELAY_REQ = 0x01;
/** versionPTP 2 in the lower half of the byte, minorVersionPTP 1 in the upper. */
const PTP_VERSION = 2;
const PTP_MINOR_VERSION = 1;
/** First byte of flagField: unicastFlag. */
const FLAG_UNICAST = 0x04;
/** controlField of a Delay_Req, for hardware that still looks at it. */
const CONTROL_DELAY_REQ = 0x01;
/** logMessageInterval of a message that has no interval. */
const NO_INTERVAL = 0x7f;
/** tlvType ORGANIZATION_EXTENSION. */
const TLV_ORGANIZATION_EXTENSION = 0x0003;
/** lengthField of the TLV (bytes): everything behind lengthField itself. */
const TLV_LENGTH = 42;
/** organizationId: bit 0x02 of the first byte marks it as locally administered, the rest is "TT". */
const ORGANIZATION_ID = 0x025454;
/** organizationSubType: "CS" and 1 for a probe. */
const ORGANIZATION_SUBTYPE = 0x435301;
/** Version of our own fields. */
const PROBE_VERSION = 1;
/** Where the MAC begins, and how long it is (bytes). */
export const PROBE_MAC_AT = 74;
export const PROBE_MAC_BYTES = 16;
/** The correctionField, which others may rewrite: first byte, and the first one behind it. */
const CORRECTION_AT = 8;
const CORRECTION_END = 16;
/** What the MAC covers: all before it, the correctionField left out (bytes). */
export const PROBE_COVERED_BYTES = PROBE_MAC_AT - (CORRECTION_END - CORRECTION_AT);

const TWO_32 = 4294967296;
/** Upper 32 bits of the first number above PROBE_NUMBER_MAX. */
const PROBE_HIGH_END = 0x200000;

/** What a probe says. One object is filled again and again. */
export interface ProbeFields {
  /** PTP domainNumber (0 to 255); the receiver compares it with its own. */
  domainNumber: number;
  /** Number of the sending host (0 to 2^32-1; 0 is dealt to nobody). */
  fromHost: number;
  /** Number of the host that the probe is meant for (0 to 2^32-1). */
  toHost: number;
  /** Probe number on the directed edge (0 to 2^53-1): 2p and 2p+1 are the probes of coded pair p. */
  probe: number;
  /** Which of the directed edge's keys the MAC was made with (1 to 65 535; 0: none). */
  keyNumber: number;
  /** Flags (0 to 255). No bit has a meaning yet: senders write 0, receivers ignore them. */
  flags: number;
}

/** An empty set of fields. */
export function createProbeFields(): ProbeFields {
  return { domainNumber: 0, fromHost: 0, toHost: 0, probe: 0, keyNumber: 0, flags: 0 };
}

/**
 * Writes all PROBE_BYTES of a probe from `offset` on, the place of the MAC left at 0. Allocation free.
 *
 * The caller vouches for the ranges of the fields and for the room in `bytes`.
 */
export function encodeProbe(bytes: Uint8Array, offset: number, fields: ProbeFields): void {
  const { domainNumber, fromHost, toHost, probe, keyNumber, flags } = fields;
  assert(offset >= 0 && offset + PROBE_BYTES <= bytes.length, "no room for a probe");
  assert(Number.isSafeInteger(probe) && probe >= 0, "probe number out of range");
  assert(fromHost >>> 0 === fromHost && toHost >>> 0 === toHost, "host number out of range");
  assert((domainNumber & 0xff) === domainNumber, "domainNumber out of range");
  assert((flags & 0xff) === flags, "flags out of range");
  assert((keyNumber & 0xffff) === keyNumber, "key number out of range");
  const high = Math.floor(probe / TWO_32);
  const low = probe >>> 0;
  bytes.fill(0, offset, offset + PROBE_BYTES);
  bytes[offset] = TYPE_DELAY_REQ;
  bytes[offset + 1] = (PTP_MINOR_VERSION << 4) | PTP_VERSION;
  put16(bytes, offset + 2, PROBE_BYTES);
  bytes[offset + 4] = domainNumber;
  bytes[offset + 5] = PROBE_MINOR_SDO_ID;
  bytes[offset + 6] = FLAG_UNICAST;
  // correctionField (8 to 15) stays 0: it belongs to transparent clocks.
  put24(bytes, offset + 20, ORGANIZATION_ID);
  bytes[offset + 23] = 0xff;
  put32(bytes, offset + 24, fromHost);
  put16(bytes, offset + 28, 1);
  put16(bytes, offset + 30, low & 0xffff);
  bytes[offset + 32] = CONTROL_DELAY_REQ;
  bytes[offset + 33] = NO_INTERVAL;
  // originTimestamp (34 to 43) stays 0: stamps travel over the exchange, not in probes.
  put16(bytes, offset + 44, TLV_ORGANIZATION_EXTENSION);
  put16(bytes, offset + 46, TLV_LENGTH);
  put24(bytes, offset + 48, ORGANIZATION_ID);
  put24(bytes, offset + 51, ORGANIZATION_SUBTYPE);
  bytes[offset + 54] = PROBE_VERSION;
  bytes[offset + 55] = flags;
  put16(bytes, offset + 56, keyNumber);
  put32(bytes, offset + 58, fromHost);
  put32(bytes, offset + 62, toHost);
  put32(bytes, offset + 66, high);
  put32(bytes, offset + 70, low);
}

/**
 * Reads the datagram of `length` bytes at `offset` into `out`. Never throws, allocation free.
 *
 * Returns undefined when it is a probe, otherwise the reason why it is none (one of a few constant
 * texts); `out` is untouched then. Whether domainNumber and toHost are the receiver's own is for the
 * caller to compare.
 */
export function decodeProbe(
  bytes: Uint8Array,
  offset: number,
  length: number,
  out: ProbeFields,
): string | undefined {
  if (length < PROBE_BYTES || offset < 0 || offset + length > bytes.length) return "too short";
  if (length > PROBE_BYTES) return "too long";
  if (bytes[offset] !== TYPE_DELAY_REQ) return "messageType";
  // A minor version only adds to a major one, so that any is accepted (IEEE 1588-2019, 13.3.2.4).
  if ((bytes[offset + 1] & 0x0f) !== PTP_VERSION) return "versionPTP";
  if (get16(bytes, offset + 2) !== length) return "messageLength";
  if (bytes[offset + 5] !== PROBE_MINOR_SDO_ID) return "minorSdoId";
  if (get16(bytes, offset + 44) !== TLV_ORGANIZATION_EXTENSION) return "tlvType";
  if (get16(bytes, offset + 46) !== TLV_LENGTH) return "lengthField";
  if (get24(bytes, offset + 48) !== ORGANIZATION_ID) return "organizationId";
  if (get24(bytes, offset + 51) !== ORGANIZATION_SUBTYPE) return "organizationSubType";
  if (bytes[offset + 54] !== PROBE_VERSION) return "version";
  const high = get32(bytes, offset + 66);
  if (high >= PROBE_HIGH_END) return "probe number";
  out.domainNumber = bytes[offset + 4];
  out.flags = bytes[offset + 55];
  out.keyNumber = get16(bytes, offset + 56);
  out.fromHost = get32(bytes, offset + 58);
  out.toHost = get32(bytes, offset + 62);
  out.probe = high * TWO_32 + get32(bytes, offset + 70);
  return undefined;
}

/** Copies what the MAC of the probe at `offset` covers to the beginning of `out`. Allocation free. */
export function copyCovered(bytes: Uint8Array, offset: number, out: Uint8Array): void {
  for (let i = 0; i < CORRECTION_AT; i++) out[i] = bytes[offset + i];
  const skipped = CORRECTION_END - CORRECTION_AT;
  for (let i = CORRECTION_END; i < PROBE_MAC_AT; i++) out[i - skipped] = bytes[offset + i];
}

/** Upper half of the correctionField that says "too big to be represented"; the lower is all ones. */
const CORRECTION_TOO_BIG_HIGH = 0x7fffffff;

/**
 * What transparent clocks added up in the probe at `offset` (ns, positive: time spent inside them;
 * resolution 2^-16 ns). NaN when the field says that it overflowed (IEEE 1588-2019, 13.3.2.9).
 * Telemetry only: it is not covered by the MAC, and asymmetric use of it would shift offsets.
 */
export function readCorrectionNs(bytes: Uint8Array, offset: number): number {
  const high = get32(bytes, offset + 8) | 0;
  const low = get32(bytes, offset + 12);
  if (high === CORRECTION_TOO_BIG_HIGH && low === TWO_32 - 1) return Number.NaN;
  return (high * TWO_32 + low) / 65536;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

function put24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  put16(bytes, at + 1, value);
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value);
}

function get16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

function get24(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 16) | get16(bytes, at + 1);
}

function get32(bytes: Uint8Array, at: number): number {
  return ((get16(bytes, at) << 16) | get16(bytes, at + 2)) >>> 0;
}
