/**
 * What is remembered of each edge from round to round, to tell its fixed bias.
 *
 * The noise of an edge changes with every window, its bias stays for minutes. What an edge says
 * beyond the mesh, its apparent bias, is therefore averaged, weighted by each round's variance, over
 * all rounds at first and over two minutes in the end. Averages hold up to a gauge, one number for each host, because every round's
 * solve has one; it is taken out of the averages whenever it becomes known (`shift`), so that they
 * do not mix different ones. An edge that is off its average by six sigmas to one side for four
 * rounds has a new path: its memory begins anew.
 */
import type { BiasEdges } from "./edge-bias-posterior.ts";
import { type Graph, incidenceOf } from "./graph.ts";
import { medianOf } from "./quantile.ts";

/** Rounds over which an apparent bias is averaged: two minutes at two a second. */
const MEMORY_ROUNDS = 240;
/** Rounds over which the scatter about the average is taken. */
const SCATTER_ROUNDS = 60;
/** Beyond so many sigmas, so many rounds in a row, an edge has another path. */
const JUMP_SIGMAS = 6;
const JUMP_ROUNDS = 4;
/** No jump is smaller (ns): sigmas of fits are estimates too. */
const JUMP_NS_MIN = 20;
/** Variance of an edge that has not been heard (ns squared): a second's. */
const UNHEARD_NS2 = 1e18;
/** Host numbers are below this: a pair of them is one number. */
const HOSTS_MAX = 2 ** 26;

/** One round's edges, as the solve has them. */
export interface BiasInput extends Graph {
  /** A number for each row's host that lasts. */
  readonly hosts: ArrayLike<number>;
  /** x_to - x_from as measured (ns), and its standard uncertainty. */
  readonly offsetNs: Float64Array;
  readonly sigmaNs: Float64Array;
  /** Sum of both directions' least delays (ns); NaN: not known. */
  readonly roundTripNs: Float64Array;
  /** Row that x is counted from. */
  readonly reference: number;
  /** The same object as long as hosts and edges are the same, row by row; spares the look-ups. */
  readonly topology?: object;
}

/** Columns of edges and hosts, all of one capacity. */
export class BiasMemory implements BiasEdges {
  hostCount = 0;
  edgeCount = 0;
  reachMedianNs = 0;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly grounded: Uint8Array;
  readonly apparentNs: Float64Array;
  readonly noiseNs2: Float64Array;
  readonly reachNs: Float64Array;
  /** What is taken off each edge's offset (ns). */
  readonly removedNs: Float64Array;
  /** 1: nothing is known of its bias yet, so its offset must not count for much. */
  readonly fresh: Uint8Array;
  /** How far off the average its offsets are, in squares of what sigma tells; at least 1. */
  readonly #scatter: Float64Array;
  readonly #roundTripNs: Float64Array;
  readonly #rounds: Int32Array;
  readonly #seenIn: Int32Array;
  /** Rounds in a row off the average; the sign is the side. */
  readonly #off: Int8Array;
  readonly #hostOf = new Map<number, number>();
  readonly #slotOf = new Map<number, number>();
  #round = 0;

  constructor(hostCapacity: number, edgeCapacity: number) {
    this.grounded = new Uint8Array(hostCapacity);
    this.from = new Int32Array(edgeCapacity);
    this.to = new Int32Array(edgeCapacity);
    this.apparentNs = new Float64Array(edgeCapacity);
    this.noiseNs2 = new Float64Array(edgeCapacity);
    this.reachNs = new Float64Array(edgeCapacity).fill(Number.NaN);
    this.removedNs = new Float64Array(edgeCapacity);
    this.fresh = new Uint8Array(edgeCapacity);
    this.#scatter = new Float64Array(edgeCapacity);
    this.#roundTripNs = new Float64Array(edgeCapacity).fill(Number.NaN);
    this.#rounds = new Int32Array(edgeCapacity);
    this.#seenIn = new Int32Array(edgeCapacity);
    this.#off = new Int8Array(edgeCapacity);
  }

  /** Row of a host; -1: never heard of. */
  hostRow(host: number): number {
    return this.#hostOf.get(host) ?? -1;
  }

  /**
   * Finds the slot of each edge of a round, making new ones, and whether it runs as the slot does,
   * from the lower number to the higher (1), or not (-1).
   *
   * @returns how many slots are new; -1: there is no room for them
   */
  place(input: BiasInput, slots: Int32Array, signs: Int8Array): number {
    const { hosts, from, to, edgeCount } = input;
    let added = 0;
    for (let e = 0; e < edgeCount; e++) {
      const [a, b] = [hosts[from[e]], hosts[to[e]]];
      const key = Math.min(a, b) * HOSTS_MAX + Math.max(a, b);
      let slot = this.#slotOf.get(key);
      if (slot === undefined) {
        slot = this.#open(Math.min(a, b), Math.max(a, b), key);
        if (slot < 0) return -1;
        added++;
      }
      slots[e] = slot;
      signs[e] = a < b ? 1 : -1;
    }
    return added;
  }

  /** Grounds one host of each island; the reference where it belongs. */
  ground(reference: number): void {
    const { start, other } = incidenceOf(this);
    const seen = new Uint8Array(this.hostCount);
    const queue = new Int32Array(this.hostCount);
    this.grounded.fill(0);
    const first = Math.max(0, this.hostRow(reference));
    for (let i = 0; i < this.hostCount; i++) {
      const root = (i + first) % this.hostCount;
      if (seen[root] === 1) continue;
      this.grounded[root] = 1;
      seen[root] = 1;
      queue[0] = root;
      for (let at = 0, count = 1; at < count; at++) {
        for (let k = start[queue[at]]; k < start[queue[at] + 1]; k++) {
          if (seen[other[k]] === 1) continue;
          seen[other[k]] = 1;
          queue[count++] = other[k];
        }
      }
    }
  }

  /** Begins a round. */
  turn(): void {
    this.#round++;
  }

  /**
   * Takes what an edge said beyond the mesh in this round (ns, from its lower host to its higher).
   *
   * @returns true: its path is a new one, what was known of its bias does not hold
   */
  take(slot: number, apparentNs: number, sigmaNs: number, roundTripNs: number): boolean {
    this.#seenIn[slot] = this.#round;
    const offNs = apparentNs - this.apparentNs[slot];
    const square = sigmaNs * sigmaNs;
    const known = this.#rounds[slot] > 0;
    const expectedNs2 = (square + (known ? this.noiseNs2[slot] : 0)) * this.#scatter[slot];
    const limitNs = Math.max(JUMP_NS_MIN, JUMP_SIGMAS * Math.sqrt(expectedNs2));
    if (known && Math.abs(offNs) > limitNs) {
      const side = Math.sign(offNs);
      this.#off[slot] = this.#off[slot] * side > 0 ? this.#off[slot] + side : side;
      if (Math.abs(this.#off[slot]) < JUMP_ROUNDS) return false;
      this.#rounds[slot] = 0;
    }
    this.#off[slot] = 0;
    const rounds = ++this.#rounds[slot];
    if (rounds === 1) {
      this.apparentNs[slot] = apparentNs;
      this.noiseNs2[slot] = square;
      this.#scatter[slot] = 1;
    } else {
      const told = Math.max(1, (offNs * offNs) / (square + this.noiseNs2[slot]));
      this.#scatter[slot] += (told - this.#scatter[slot]) / Math.min(rounds, SCATTER_ROUNDS);
      const before = this.noiseNs2[slot];
      const now = square * this.#scatter[slot];
      const gain = Math.max(before / (before + now), 1 / MEMORY_ROUNDS);
      this.apparentNs[slot] += gain * offNs;
      this.noiseNs2[slot] = (1 - gain) ** 2 * before + gain ** 2 * now;
    }
    const gain = 1 / Math.min(rounds, MEMORY_ROUNDS);
    const earlierNs = this.#roundTripNs[slot];
    const keep = rounds > 1 && earlierNs >= 0 ? earlierNs : roundTripNs;
    const sound = roundTripNs >= 0 && roundTripNs < Number.POSITIVE_INFINITY;
    this.#roundTripNs[slot] = sound ? keep + gain * (roundTripNs - keep) : earlierNs;
    if (rounds > 1) return false;
    this.fresh[slot] = 1;
    return true;
  }

  /** Brings the reaches up to date. */
  measureReaches(): void {
    let shortestNs = Number.POSITIVE_INFINITY;
    for (let s = 0; s < this.edgeCount; s++) {
      if (this.#roundTripNs[s] < shortestNs) shortestNs = this.#roundTripNs[s];
    }
    const known = new Float64Array(this.edgeCount);
    let count = 0;
    for (let s = 0; s < this.edgeCount; s++) {
      this.reachNs[s] = (this.#roundTripNs[s] - shortestNs) / 2;
      if (this.reachNs[s] >= 0) known[count++] = this.reachNs[s];
    }
    this.reachMedianNs = medianOf(known, count);
  }

  /** Mean square of the biases, as plain least squares would see them (ns squared, above 0). */
  meanSquareNs2(): number {
    let sum = 0;
    let freedom = -this.hostCount;
    for (let i = 0; i < this.hostCount; i++) freedom += this.grounded[i];
    for (let s = 0; s < this.edgeCount; s++) {
      sum += this.apparentNs[s] ** 2;
      freedom++;
    }
    return Math.max(1, sum / Math.max(1, freedom));
  }

  /** Takes a gauge (ns, by host row) out of the averages. */
  shift(gaugeNs: Float64Array): void {
    for (let s = 0; s < this.edgeCount; s++) {
      this.apparentNs[s] -= gaugeNs[this.to[s]] - gaugeNs[this.from[s]];
    }
  }

  /** A larger memory with what is not stale of this one; `kept` receives the old slots. */
  renewed(hostCapacity: number, edgeCapacity: number, kept: number[]): BiasMemory {
    const out = new BiasMemory(hostCapacity, edgeCapacity);
    out.#round = this.#round;
    for (const [key, slot] of this.#slotOf) {
      if (this.#round - this.#seenIn[slot] > MEMORY_ROUNDS) continue;
      const low = Math.floor(key / HOSTS_MAX);
      const at = out.#open(low, key - low * HOSTS_MAX, key);
      if (at < 0) break;
      kept[at] = slot;
      for (const [to, from] of out.#columns(this)) to[at] = from[slot];
    }
    return out;
  }

  #columns(other: BiasMemory): (readonly [Writable, Writable])[] {
    return [
      [this.apparentNs, other.apparentNs],
      [this.noiseNs2, other.noiseNs2],
      [this.reachNs, other.reachNs],
      [this.removedNs, other.removedNs],
      [this.fresh, other.fresh],
      [this.#scatter, other.#scatter],
      [this.#roundTripNs, other.#roundTripNs],
      [this.#rounds, other.#rounds],
      [this.#seenIn, other.#seenIn],
      [this.#off, other.#off],
    ];
  }

  #open(low: number, high: number, key: number): number {
    const slot = this.edgeCount;
    if (slot >= this.from.length) return -1;
    const [a, b] = [this.#row(low), this.#row(high)];
    if (a < 0 || b < 0) return -1;
    this.edgeCount++;
    this.from[slot] = a;
    this.to[slot] = b;
    // It says nothing before its first measurement.
    this.noiseNs2[slot] = UNHEARD_NS2;
    this.#slotOf.set(key, slot);
    return slot;
  }

  #row(host: number): number {
    const known = this.#hostOf.get(host);
    if (known !== undefined) return known;
    if (this.hostCount >= this.grounded.length) return -1;
    this.#hostOf.set(host, this.hostCount);
    return this.hostCount++;
  }
}

type Writable = Float64Array | Int32Array | Uint8Array | Int8Array;
