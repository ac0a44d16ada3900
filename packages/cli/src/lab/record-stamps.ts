/**
 * The stamps of a recording: what the agents told each other, by directed edge.
 *
 * A flush names hosts by numbers; a file names its host by its name. Every file tells the number of
 * its host, so after the last file all numbers have names.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { sizeDelimitedPeek } from "@bufbuild/protobuf/wire";
import { type ExchangeFlush, ExchangeFlushSchema, unpackStamps } from "@ttcs/protocol";

const FIRST_CAPACITY = 4096;
/** No flush of half a second holds more. */
const COLUMN_LIMIT = 65_536;

/** One end's stamps of the probes on one directed edge, as they were told. */
export class EndColumn {
  length = 0;
  probe = new Float64Array(FIRST_CAPACITY);
  /** Stamps since the zero of the end's host (ns). */
  ns = new Float64Array(FIRST_CAPACITY);

  push(probe: number, stampNs: number): void {
    if (this.length === this.probe.length) {
      const [probes, stamps] = [this.probe, this.ns];
      this.probe = new Float64Array(2 * probes.length);
      this.ns = new Float64Array(2 * stamps.length);
      this.probe.set(probes);
      this.ns.set(stamps);
    }
    this.probe[this.length] = probe;
    this.ns[this.length++] = stampNs;
  }

  /** Order of the rows by probe number; what was told twice stands side by side. */
  order(): Uint32Array {
    const { probe } = this;
    return Uint32Array.from({ length: this.length }, (_, i) => i).sort(
      (a, b) => probe[a] - probe[b],
    );
  }
}

/** Stamps of probes on a directed edge: from the sender's file, and from the receiver's. */
export interface DirectedEdge {
  readonly sent: EndColumn;
  readonly received: EndColumn;
}

/** See the module head. */
export class RecordedStamps {
  /** By numbers: of the sender, then of the receiver. */
  readonly #edges = new Map<number, Map<number, DirectedEdge>>();
  readonly #names = new Map<number, string>();
  /** Zero of each host's stamps (raw ns). */
  readonly #zeros = new Map<string, bigint>();
  /** Messages that a killed agent has torn. */
  tornCount = 0;
  readonly #probe = new Float64Array(COLUMN_LIMIT);
  readonly #ns = new Float64Array(COLUMN_LIMIT);

  /**
   * Reads a host's file; a host that never flushed has none.
   *
   * @throws Error when the file is damaged, or a number belongs to two hosts
   */
  read(dir: string, hostId: string): void {
    const path = join(dir, `${hostId}.flushes`);
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    for (let at = 0; at < bytes.length; ) {
      const head = sizeDelimitedPeek(bytes.subarray(at, at + 10));
      const from = at + (head.offset ?? 0);
      const end = from + (head.size ?? 0);
      if (head.eof || end > bytes.length) {
        this.tornCount++;
        return;
      }
      this.#take(fromBinary(ExchangeFlushSchema, bytes.subarray(from, end)), hostId, path);
      at = end;
    }
  }

  /** Zero of a host's stamps (raw ns). */
  zeroOf(hostId: string): bigint {
    return this.#zeros.get(hostId) ?? 0n;
  }

  /** All directed edges between hosts that have a file. */
  *edges(): Iterable<{ from: string; to: string; edge: DirectedEdge }> {
    for (const [fromNumber, others] of this.#edges) {
      const from = this.#names.get(fromNumber);
      for (const [toNumber, edge] of others) {
        const to = this.#names.get(toNumber);
        if (from !== undefined && to !== undefined) yield { from, to, edge };
      }
    }
  }

  #take(flush: ExchangeFlush, hostId: string, path: string): void {
    const { fromHost, toHost, baseRawNs } = flush;
    const name = this.#names.get(fromHost) ?? hostId;
    if (name !== hostId) {
      // A new coordinator deals new numbers: then nobody can say whose a stamp is.
      throw new Error(`${path}: host number ${fromHost} belongs to ${name} as well`);
    }
    this.#names.set(fromHost, hostId);
    const zero = this.#zeros.get(hostId) ?? baseRawNs;
    this.#zeros.set(hostId, zero);
    const shiftNs = Number(baseRawNs - zero);
    this.#append(this.#edge(fromHost, toHost).sent, flush.sent, shiftNs, path);
    this.#append(this.#edge(toHost, fromHost).received, flush.received, shiftNs, path);
  }

  #append(to: EndColumn, column: ExchangeFlush["sent"], shiftNs: number, path: string): void {
    const count = unpackStamps(column, this.#probe, this.#ns);
    if (count < 0) throw new Error(`${path}: a column contradicts itself`);
    for (let i = 0; i < count; i++) to.push(this.#probe[i], this.#ns[i] + shiftNs);
  }

  #edge(from: number, to: number): DirectedEdge {
    const others = this.#edges.get(from) ?? new Map<number, DirectedEdge>();
    this.#edges.set(from, others);
    const edge = others.get(to) ?? { sent: new EndColumn(), received: new EndColumn() };
    others.set(to, edge);
    return edge;
  }
}
