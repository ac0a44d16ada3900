/**
 * Reads `probes.csv` byte by byte and hands the rows to the replay.
 *
 * A million rows shall take a second, so nothing is split or allocated per row: fields are found in
 * the chunk, hosts by a hash of their bytes. A stamp has up to 19 digits and does not fit in a
 * double; it is read as two halves of nine digits and taken relative to the host's first stamp.
 *
 * What comes from outside never throws: a fault is returned as text, with line, reason and value.
 */
import type { TracePlan } from "@ttcs/simulator";

/** Takes the rows. */
export interface ProbeSink {
  /** The zero of a host's stamps (ns), before its first one. */
  setBase(host: number, baseRawNs: bigint): void;
  probe(from: number, to: number, pair: number, slot: number, txNs: number, rxNs: number): void;
}

const HEADER = "from,to,pair,slot,tx_ns,rx_ns";
const FIELDS = HEADER.split(",");
const [FROM, TO, PAIR, SLOT, TX, RX] = FIELDS.keys();
/** No row is longer; a file without line ends is not read into memory whole (bytes). */
const LINE_BYTES_MAX = 4_096;
/** Digits of a pair number that a double holds exactly, its slot included. */
const PAIR_DIGITS_MAX = 15;
const HALF = 1_000_000_000;
const HALF_DIGITS = 9;
/** 2^63, in halves. */
const LIMIT_HIGH = 9_223_372_036;
const LIMIT_LOW = 854_775_808;
/** So much of a wrong value is shown (characters). */
const VALUE_SHOWN = 60;

const LF = 10;
const CR = 13;
const COMMA = 44;
const ZERO = 48;

/** See the module head. */
export class ProbeCsv {
  readonly #sink: ProbeSink;
  readonly #hostsByHash = new Map<number, number[]>();
  readonly #ids: readonly Buffer[];
  readonly #baseHigh: Float64Array;
  readonly #baseLow: Float64Array;
  readonly #baseDigits: Int32Array;
  #rest: Buffer = Buffer.alloc(0);
  /** First byte of each field of the line at hand, and one past its last one. */
  readonly #start = new Int32Array(FIELDS.length);
  readonly #end = new Int32Array(FIELDS.length);
  #high = 0;
  #low = 0;
  /** Lines read. */
  lineCount = 0;

  constructor(plan: TracePlan, sink: ProbeSink) {
    this.#sink = sink;
    this.#ids = plan.hosts.map(({ id }) => Buffer.from(id));
    this.#baseHigh = new Float64Array(plan.hosts.length);
    this.#baseLow = new Float64Array(plan.hosts.length);
    this.#baseDigits = new Int32Array(plan.hosts.length);
    this.#ids.forEach((id, host) => {
      const hash = hashBytes(id, 0, id.length);
      this.#hostsByHash.set(hash, [...(this.#hostsByHash.get(hash) ?? []), host]);
    });
  }

  /** Rows read. */
  get rowCount(): number {
    return Math.max(0, this.lineCount - 1);
  }

  /** Reads a chunk; returns the first fault. */
  push(chunk: Buffer): string | undefined {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, at)) {
      const fault = this.#line(bytes, at, end);
      if (fault) return fault;
      at = end + 1;
    }
    this.#rest = bytes.subarray(at);
    if (this.#rest.length <= LINE_BYTES_MAX) return undefined;
    this.lineCount++;
    return this.#fault(`longer than ${LINE_BYTES_MAX} bytes`, bytes, at, at + VALUE_SHOWN);
  }

  /** Reads what follows the last line end; returns the fault. */
  end(): string | undefined {
    const bytes = this.#rest;
    if (bytes.length > 0) {
      const fault = this.#line(bytes, 0, bytes.length, true);
      if (fault) return fault;
    }
    return this.lineCount === 0 ? `line 1: no header ${HEADER}: the file is empty` : undefined;
  }

  #line(bytes: Buffer, from: number, lineEnd: number, breaksOff = false): string | undefined {
    const end = lineEnd > from && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (++this.lineCount === 1) {
      const isHeader = bytes.toString("utf8", from, Math.min(end, from + 99)) === HEADER;
      return isHeader ? undefined : this.#fault(`no header ${HEADER}`, bytes, from, end);
    }
    const count = this.#fields(bytes, from, end);
    if (count !== FIELDS.length) {
      const many = `${count} field${count === 1 ? "" : "s"} in place of ${FIELDS.length}`;
      return this.#fault(breaksOff ? `the file breaks off, ${many}` : many, bytes, from, end);
    }
    return this.#row(bytes, breaksOff);
  }

  /** Finds the fields; returns how many there are. */
  #fields(bytes: Buffer, from: number, end: number): number {
    let field = 0;
    this.#start[0] = from;
    for (let i = from; i < end; i++) {
      if (bytes[i] !== COMMA) continue;
      if (field < FIELDS.length) this.#end[field] = i;
      field++;
      if (field < FIELDS.length) this.#start[field] = i + 1;
    }
    if (field < FIELDS.length) this.#end[field] = end;
    return field + 1;
  }

  #row(bytes: Buffer, breaksOff: boolean): string | undefined {
    const from = this.#host(bytes, FROM);
    if (from < 0) return this.#fieldFault("is an unknown host", bytes, FROM);
    const to = this.#host(bytes, TO);
    if (to < 0) return this.#fieldFault("is an unknown host", bytes, TO);
    const pairFault = this.#whole(bytes, PAIR, PAIR_DIGITS_MAX);
    if (pairFault) return pairFault;
    const pair = this.#high * HALF + this.#low;
    const slot = bytes[this.#start[SLOT]] - ZERO;
    if (this.#end[SLOT] - this.#start[SLOT] !== 1 || (slot !== 0 && slot !== 1)) {
      return this.#fieldFault("is neither 0 nor 1", bytes, SLOT);
    }
    const txFault = this.#stamp(bytes, TX, from, false);
    if (txFault) return txFault;
    const txNs = this.#sinceBase(from);
    const rxFault = this.#stamp(bytes, RX, to, breaksOff);
    if (rxFault) return rxFault;
    this.#sink.probe(from, to, pair, slot, txNs, this.#sinceBase(to));
    return undefined;
  }

  #host(bytes: Buffer, field: number): number {
    const start = this.#start[field];
    const end = this.#end[field];
    const candidates = this.#hostsByHash.get(hashBytes(bytes, start, end));
    if (!candidates) return -1;
    for (const host of candidates) {
      if (this.#ids[host].compare(bytes, start, end) === 0) return host;
    }
    return -1;
  }

  /** Leaves a whole number in `#high` and `#low`; returns what is wrong with it. */
  #whole(bytes: Buffer, field: number, digitsMax: number): string | undefined {
    const start = this.#start[field];
    const end = this.#end[field];
    const middle = Math.max(start, end - HALF_DIGITS);
    this.#high = 0;
    this.#low = 0;
    for (let i = start; i < end; i++) {
      const digit = bytes[i] - ZERO;
      if (!(digit >= 0 && digit <= 9)) {
        return this.#fieldFault("is no whole number from 0 up", bytes, field);
      }
      if (i < middle) this.#high = 10 * this.#high + digit;
      else this.#low = 10 * this.#low + digit;
    }
    if (end === start) return this.#fieldFault("is empty", bytes, field);
    if (end - start > digitsMax) {
      return this.#fieldFault(`has more than ${digitsMax} digits`, bytes, field);
    }
    return undefined;
  }

  /** Leaves a stamp in `#high` and `#low`; the first of a host is its base. */
  #stamp(bytes: Buffer, field: number, host: number, breaksOff: boolean): string | undefined {
    const fault = this.#whole(bytes, field, bytes.length);
    if (fault) return fault;
    if (this.#high > LIMIT_HIGH || (this.#high === LIMIT_HIGH && this.#low >= LIMIT_LOW)) {
      return this.#fieldFault("is not below 2^63", bytes, field);
    }
    const digits = this.#end[field] - this.#start[field];
    if (this.#baseDigits[host] === 0) {
      this.#baseDigits[host] = digits;
      this.#baseHigh[host] = this.#high;
      this.#baseLow[host] = this.#low;
      this.#sink.setBase(host, BigInt(this.#high) * BigInt(HALF) + BigInt(this.#low));
    }
    // Without a line end behind it a stamp may lack digits; a clock that counts up never does.
    if (breaksOff && digits < this.#baseDigits[host]) {
      return this.#fieldFault("breaks off with the file", bytes, field);
    }
    return undefined;
  }

  #sinceBase(host: number): number {
    return (this.#high - this.#baseHigh[host]) * HALF + (this.#low - this.#baseLow[host]);
  }

  #fieldFault(reason: string, bytes: Buffer, field: number): string {
    return this.#fault(`${FIELDS[field]} ${reason}`, bytes, this.#start[field], this.#end[field]);
  }

  #fault(reason: string, bytes: Buffer, start: number, end: number): string {
    const shown = bytes.toString("utf8", start, Math.min(end, start + VALUE_SHOWN));
    return `line ${this.lineCount}: ${reason}: ${JSON.stringify(shown)}`;
  }
}

/** FNV-1a over bytes. */
function hashBytes(bytes: Buffer, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return h;
}
