/**
 * One agent's side of the exchange: its edges, and what happens to them in a round.
 *
 * When a round closes, the stamps are carried to the raw scale and flushed to every neighbour. When a
 * neighbour's flush is there, the owner of the edge fits its window; the other end fits one in ten, as
 * an audit. A round is finished when all fits that are due are done, or when it is late.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type EdgeFit,
  type ExchangeFlush,
  ExchangeFlushSchema,
  type HeldLineSchema,
  type Neighbour,
  packStamps,
} from "@ttcs/protocol";
import { addNs, diffNs, type RawNanos, WINDOW_NS, windowNsAt } from "@ttcs/units";
import type { Carrier } from "./carrier.ts";
import { Edge } from "./edge.ts";
import { type Meter, noMeter } from "./meter.ts";
import type { StampSeries } from "./stamp-series.ts";

/** A round does not wait longer than this for neighbours, from its close (ns). */
const DEADLINE_NS = 130_000_000;
/** The end that does not own an edge fits one window in this many, as an audit. */
const AUDIT_EVERY = 10n;

/** A round that has closed. */
export interface RoundClose {
  readonly round: bigint;
  /** The host's raw clock at the close (ns). */
  readonly closeRawNs: RawNanos;
}

/** The region of a host that names none. */
const DEFAULT_REGION = "default";

/** What stands in every message of this host. */
export interface Sender {
  readonly header: { readonly domain: string; readonly term: bigint; readonly round: bigint };
  readonly hostNumber: number;
  readonly hostId: string;
  /** Domain time as this host was last told it; absent before its first correction. */
  readonly held?: MessageInitShape<typeof HeldLineSchema>;
}

/** See the module head. */
export class Exchange {
  readonly #carrier: Carrier;
  readonly #meter: Meter;
  readonly #edges = new Map<number, Edge>();
  #close: RoundClose | undefined;
  #finished = true;
  #fits: EdgeFit[] = [];
  /** Edges that have yet to be fitted in this round. */
  #open: Edge[] = [];
  #windowNs = WINDOW_NS;
  #gatewayWindowNs = WINDOW_NS;
  readonly #region: string;

  /** @param region the host's own: a neighbour of another one is at the end of a gateway edge */
  constructor(carrier: Carrier, meter: Meter = noMeter, region = DEFAULT_REGION) {
    this.#region = region || DEFAULT_REGION;
    this.#carrier = carrier;
    this.#meter = meter;
  }

  get edges(): Iterable<Edge> {
    return this.#edges.values();
  }

  /** The round that closed last. */
  get close(): RoundClose | undefined {
    return this.#close;
  }

  /** Forgets all edges: the numbers that they are kept by are no longer dealt. */
  clear(): void {
    this.#edges.clear();
    this.#carrier.clearPending();
    this.#fits = [];
    this.#open = [];
    this.#finished = true;
  }

  /** Throws away own stamps before a raw instant: another hand was on the clock that made them. */
  voidBefore(rawNs: RawNanos): void {
    for (const { own } of this.#edges.values()) if (rawNs > own.baseRawNs) own.slideTo(rawNs);
  }

  /** Takes the neighbours and the rate as dealt; an edge that stays keeps its stamps. */
  setNeighbours(neighbours: readonly Neighbour[], pairsPerSecond: number): void {
    this.#windowNs = windowNsAt(pairsPerSecond);
    this.#gatewayWindowNs = windowNsAt(pairsPerSecond, true);
    const wanted = new Map(neighbours.map((n) => [n.hostNumber, n]));
    for (const number of this.#edges.keys()) if (!wanted.has(number)) this.#edges.delete(number);
    for (const [number, neighbour] of wanted) {
      const edge = this.#edges.get(number);
      const region = neighbour.region || DEFAULT_REGION;
      const isGateway = region !== this.#region;
      const isSame = edge?.neighbour.hostId === neighbour.hostId && edge.isGateway === isGateway;
      if (isSame) edge.neighbour = neighbour;
      else this.#edges.set(number, new Edge(neighbour, isGateway));
    }
    if (this.#close) this.#listOpen(this.#close.round);
  }

  #windowOf({ isGateway }: Edge): number {
    return isGateway ? this.#gatewayWindowNs : this.#windowNs;
  }

  #listOpen(round: bigint): void {
    this.#open = [];
    for (const edge of this.#edges.values()) {
      if (edge.fittedRound !== round && isDue(edge, round)) this.#open.push(edge);
    }
  }

  /** Closes a round; returns the flush for each neighbour. */
  closeRound(close: RoundClose, sender: Sender): Map<number, ExchangeFlush> {
    this.#meter.begin("exchange");
    this.#close = close;
    this.#finished = false;
    this.#fits = [];
    this.#listOpen(close.round);
    const startOf = (edge: Edge) => addNs(close.closeRawNs, -this.#windowOf(edge));
    for (const edge of this.#edges.values()) {
      const { own } = edge;
      const start = startOf(edge);
      own.slideTo(start);
      own.carry = this.#carrier.errorSince(start);
      own.sent.mark();
      own.received.mark();
    }
    this.#carrier.deliver(this.#edges, close.closeRawNs);
    const flushes = new Map<number, ExchangeFlush>();
    for (const [number, edge] of this.#edges) {
      const flush = flushOf(edge, number, sender, this.#windowOf(edge));
      // Told as long as the window reaches back to it: a flush may be lost.
      if (this.#carrier.voidBefore > startOf(edge))
        flush.voidBeforeRawNs = this.#carrier.voidBefore;
      flushes.set(number, flush);
    }
    this.#meter.end();
    return flushes;
  }

  /** Takes a neighbour's stamps; returns why they are refused. Strangers are not heard. */
  takeFlush(flush: ExchangeFlush): string | undefined {
    const edge = this.#edges.get(flush.fromHost);
    const id = edge?.neighbour.hostId;
    // Numbers are dealt by coordinators: for a moment two hosts may go by different ones.
    if (flush.fromHostId !== "" && edge && flush.fromHostId !== id) {
      return `flush of ${flush.fromHostId} refused: its number stands for ${id}`;
    }
    this.#meter.begin("exchange");
    const refused = edge?.takeFlush(flush, this.#windowOf(edge));
    if (edge) this.#lookAgain(edge);
    this.#meter.end();
    return refused && `flush of ${id} refused: ${refused}`;
  }

  /** That a neighbour was away is known when it speaks again: its edge may be due in this very round. */
  #lookAgain(edge: Edge): void {
    const close = this.#close;
    if (!close || this.#finished || edge.fittedRound === close.round) return;
    if (edge.standsIn(close.round) && !this.#open.includes(edge)) this.#open.push(edge);
  }

  /**
   * Fits what is ready.
   *
   * @returns all fits of the round, once, when it is finished; undefined before and after
   */
  finish(nowRawNs: RawNanos, hostNumber: number): readonly EdgeFit[] | undefined {
    const close = this.#close;
    if (!close || this.#finished) return undefined;
    const late = diffNs(nowRawNs, close.closeRawNs) >= DEADLINE_NS;
    const open = this.#open;
    let missing = 0;
    for (const edge of open) {
      if (edge.peerRound >= close.round || late) {
        edge.fittedRound = close.round;
        this.#meter.begin("fit");
        this.#fits.push(edge.fit(hostNumber, this.#windowOf(edge)));
        this.#meter.end();
      } else open[missing++] = edge;
    }
    open.length = missing;
    if (missing > 0) return undefined;
    this.#finished = true;
    return this.#fits;
  }
}

/** Owners fit every round, auditors take turns; all of them while an owner has just come back. */
function isDue(edge: Edge, round: bigint): boolean {
  const { owner, hostNumber } = edge.neighbour;
  return owner || (round + BigInt(hostNumber)) % AUDIT_EVERY === 0n || edge.standsIn(round);
}

/** What came in with this round. */
function flushOf(
  edge: Edge,
  toHost: number,
  { header, hostNumber, hostId, held }: Sender,
  windowNs: number,
): ExchangeFlush {
  const { own } = edge;
  // A flush counts from where a window of 2 s would begin: its stamps have 32 bits.
  const zeroNs = windowNs - WINDOW_NS;
  return create(ExchangeFlushSchema, {
    header,
    fromHost: hostNumber,
    fromHostId: hostId,
    toHost,
    baseRawNs: addNs(own.baseRawNs, zeroNs),
    sent: newOf(own.sent, zeroNs),
    received: newOf(own.received, zeroNs),
    carrySigmaNs: own.carry.sigmaNs,
    carryBoundNs: own.carry.boundNs,
    ...(held ? { held } : {}),
  });
}

function newOf(series: StampSeries, zeroNs: number) {
  const { probe, ns, length, newFrom } = series;
  return packStamps(probe, ns, length, newFrom, zeroNs + series.zeroNs);
}
