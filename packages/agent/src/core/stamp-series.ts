/**
 * The stamps of one direction at one end of an edge, in the order of probe numbers.
 *
 * Numbers are relative to a base that moves along, so that they stay small and exact. A series
 * holds a little more than one window. Moving the base costs nothing: stamps are brought to it, and
 * those before it dropped, when the window is read or memory is full. Of two ends of an edge one reads
 * a window in ten only.
 */
import { type RawNanos, rawNanos } from "@ttcs/units";

/** A number this far below the last one means that the sender began anew. */
const RESTART_GAP = 100_000;
const FIRST_CAPACITY = 64;
/** A window of 2 s at 500 pairs/s holds 2000 stamps; more than this is no window. */
const CAPACITY_MAX = 8192;
/** Memory of which more than this share is in use is doubled. */
const FULL_SHARE = 3 / 4;

/** One column of stamps with its probe numbers. */
export class StampSeries {
  length = 0;
  probe = new Float64Array(FIRST_CAPACITY);
  /** Stamps since the window's zero less `zeroNs` (ns), rising with the probe number but for reordering. */
  ns = new Float64Array(FIRST_CAPACITY);
  /** Where the window's zero stands in `ns` (ns); 0 once the series is settled. */
  zeroNs = 0;
  /** Entries from this one on have come since `mark`. */
  newFrom = 0;

  /** Forgets all stamps. */
  clear(): void {
    this.length = 0;
    this.zeroNs = 0;
    this.newFrom = 0;
  }

  /** What comes from now on is new. */
  mark(): void {
    this.newFrom = this.length;
  }

  /** Adds one stamp (ns since the window's zero). Late ones are sorted in, doubles ignored. */
  push(probe: number, stampNs: number): void {
    if (this.length === this.probe.length && !this.#makeRoom()) return;
    let at = this.length;
    if (at > 0 && probe < this.probe[at - 1] - RESTART_GAP) {
      this.length = 0;
      this.newFrom = 0;
      at = 0;
    }
    while (at > 0 && this.probe[at - 1] > probe) at--;
    if (at > 0 && this.probe[at - 1] === probe) return;
    if (at < this.length) {
      this.probe.copyWithin(at + 1, at, this.length);
      this.ns.copyWithin(at + 1, at, this.length);
    }
    this.probe[at] = probe;
    this.ns[at] = stampNs + this.zeroNs;
    this.length++;
  }

  /** Adds stamps of rising numbers, each `shiftNs` later than it says. */
  append(probe: Float64Array, stampNs: Float64Array, count: number, shiftNs: number): void {
    const at = this.length;
    const room = at + count <= this.probe.length;
    if (!room || count === 0 || !(at === 0 || probe[0] > this.probe[at - 1])) {
      for (let i = 0; i < count; i++) this.push(probe[i], stampNs[i] + shiftNs);
      return;
    }
    // Nearly always they follow on what is there.
    const { zeroNs } = this;
    for (let i = 0; i < count; i++) {
      this.probe[at + i] = probe[i];
      this.ns[at + i] = stampNs[i] + shiftNs + zeroNs;
    }
    this.length += count;
  }

  /** Moves the zero later by `shiftNs`; the stamps before it do not count any more. */
  slide(shiftNs: number): void {
    // A zero that moves back must not bring back what lay before it.
    if (shiftNs < 0) this.settle();
    this.zeroNs += shiftNs;
  }

  /** Drops the stamps before the zero and brings the others to it. */
  settle(): void {
    const { probe, ns, length, zeroNs } = this;
    if (zeroNs === 0) return;
    let kept = 0;
    let keptOld = 0;
    for (let i = 0; i < length; i++) {
      if (i === this.newFrom) keptOld = kept;
      const stampNs = ns[i] - zeroNs;
      if (stampNs < 0) continue;
      probe[kept] = probe[i];
      ns[kept++] = stampNs;
    }
    this.newFrom = this.newFrom < length ? keptOld : kept;
    this.length = kept;
    this.zeroNs = 0;
  }

  /** False when there is none: more stamps than a window can have. */
  #makeRoom(): boolean {
    this.settle();
    const { length } = this.probe;
    if (this.length <= FULL_SHARE * length) return true;
    if (length >= CAPACITY_MAX) return this.length < length;
    const larger = (column: Float64Array) => {
      const grown = new Float64Array(2 * length);
      grown.set(column);
      return grown;
    };
    this.probe = larger(this.probe);
    this.ns = larger(this.ns);
    return true;
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
    this.sent.clear();
    this.received.clear();
  }

  /** Makes both series ready to be read. */
  settle(): void {
    this.sent.settle();
    this.received.settle();
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
