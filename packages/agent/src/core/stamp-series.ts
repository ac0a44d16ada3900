/**
 * The stamps of one direction at one end of an edge, in the order of probe numbers.
 *
 * Numbers are relative to a base that moves along, so that they stay small and exact. A series
 * holds a little more than one window; older stamps are dropped every round.
 */
import { type RawNanos, rawNanos } from "@ttcs/units";

/** A number this far below the last one means that the sender began anew. */
const RESTART_GAP = 100_000;
const FIRST_CAPACITY = 64;
/** A window of 2 s at 500 pairs/s holds 2000 stamps; more than this is no window. */
const CAPACITY_MAX = 8192;

/** One column of stamps with its probe numbers. */
export class StampSeries {
  length = 0;
  probe = new Float64Array(FIRST_CAPACITY);
  /** Stamps since the window's zero (ns), rising with the probe number but for reordering. */
  ns = new Float64Array(FIRST_CAPACITY);

  /** Adds one stamp. Late ones are sorted in, doubles ignored. */
  push(probe: number, stampNs: number): void {
    let at = this.length;
    if (at > 0 && probe < this.probe[at - 1] - RESTART_GAP) {
      this.length = 0;
      at = 0;
    }
    while (at > 0 && this.probe[at - 1] > probe) at--;
    if (at > 0 && this.probe[at - 1] === probe) return;
    if (this.length >= CAPACITY_MAX) return;
    this.#grow(this.length + 1);
    if (at < this.length) {
      this.probe.copyWithin(at + 1, at, this.length);
      this.ns.copyWithin(at + 1, at, this.length);
    }
    this.probe[at] = probe;
    this.ns[at] = stampNs;
    this.length++;
  }

  /** Moves the zero later by `shiftNs` and drops the stamps before it. */
  slide(shiftNs: number): void {
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      const stampNs = this.ns[i] - shiftNs;
      if (stampNs < 0) continue;
      this.probe[kept] = this.probe[i];
      this.ns[kept++] = stampNs;
    }
    this.length = kept;
  }

  #grow(needed: number): void {
    if (needed <= this.probe.length) return;
    const larger = (column: Float64Array) => {
      const grown = new Float64Array(needed * 2);
      grown.set(column);
      return grown;
    };
    this.probe = larger(this.probe);
    this.ns = larger(this.ns);
  }
}

/** All stamps that one end of an edge took within a window, on that end's raw clock. */
export class EndStamps {
  /** Zero of both series (raw ns). */
  baseRawNs: RawNanos = rawNanos(0n);
  readonly sent = new StampSeries();
  readonly received = new StampSeries();
  /** How far the stamps may be off on their way to the raw scale (ns). */
  carry: CarryError = { sigmaNs: 0, boundNs: 0 };

  /** Begins anew: what is held has nothing to do with what comes. */
  restart(baseRawNs: RawNanos): void {
    this.baseRawNs = baseRawNs;
    this.sent.length = 0;
    this.received.length = 0;
  }

  /** Moves the zero to `baseRawNs`; what lies before it is dropped. */
  slideTo(baseRawNs: RawNanos): void {
    const shiftNs = Number(baseRawNs - this.baseRawNs);
    this.baseRawNs = baseRawNs;
    this.sent.slide(shiftNs);
    this.received.slide(shiftNs);
  }
}

/** How far carried stamps may be off (ns). */
export interface CarryError {
  readonly sigmaNs: number;
  readonly boundNs: number;
}
