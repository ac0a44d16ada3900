/**
 * The probes of one directed edge that a window may still need, and the check of their order.
 *
 * Probes are kept in the order of sending with rising numbers. A sender that numbers its pairs anew
 * is recognised by its second row below the highest number: the first could be a garbled one. From
 * then on the numbers are shifted, so that those within the buffer go on rising.
 */

/** Why a row is not used. */
export type OddKind = "unknownEdge" | "doubled" | "backwards" | "pairFell" | "tooFar";

/** Rows that were skipped, by kind. */
export type OddCounts = Record<OddKind, number>;

const FIRST_CAPACITY = 256;
/** More than this is no window, but a recording whose rounds do not close: the oldest go. */
const CAPACITY_MAX = 65_536;

/** See the module head. */
export class ProbeBuffer {
  length = 0;
  probe = new Float64Array(FIRST_CAPACITY);
  /** On the sender's and on the receiver's raw clock, since each host's base (ns). */
  txNs = new Float64Array(FIRST_CAPACITY);
  rxNs = new Float64Array(FIRST_CAPACITY);
  /** Added to the numbers of the recording. Even, so that pairs stay pairs. */
  #shift = 0;
  #lastProbe = -1;
  #lastTxNs = Number.NEGATIVE_INFINITY;
  /** Number of the row before, when it was one that fell; NaN otherwise. */
  #fallen = Number.NaN;

  /** True when this very probe is held already. */
  holds(number: number, txNs: number): boolean {
    const probe = number + this.#shift;
    for (let i = this.length - 1; i >= 0 && this.probe[i] >= probe; i--) {
      if (this.probe[i] === probe && this.txNs[i] === txNs) return true;
    }
    return false;
  }

  /** Why a probe with this number, sent at this time, cannot follow; undefined: it can. */
  check(number: number, txNs: number): OddKind | undefined {
    if (!(txNs > this.#lastTxNs)) return "backwards";
    return number + this.#shift > this.#lastProbe ? undefined : this.#fell(number);
  }

  /** Adds a probe that `check` has let pass. */
  push(number: number, txNs: number, rxNs: number): void {
    if (this.length >= CAPACITY_MAX) this.#keepFrom(CAPACITY_MAX / 2);
    if (this.length >= this.probe.length) this.#grow();
    const probe = number + this.#shift;
    this.probe[this.length] = probe;
    this.txNs[this.length] = txNs;
    this.rxNs[this.length++] = rxNs;
    this.#lastProbe = probe;
    this.#lastTxNs = txNs;
    this.#fallen = Number.NaN;
  }

  /** Drops what had arrived by `rxNs` (ns on the receiver's raw clock). */
  dropUntil(rxNs: number): void {
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      if (this.rxNs[i] <= rxNs) continue;
      if (kept !== i) {
        this.probe[kept] = this.probe[i];
        this.txNs[kept] = this.txNs[i];
        this.rxNs[kept] = this.rxNs[i];
      }
      kept++;
    }
    this.length = kept;
  }

  /** Goes back to `txNs` of the sender: what is held from later on has a wrong stamp. */
  rewind(txNs: number): void {
    let kept = 0;
    while (kept < this.length && this.txNs[kept] < txNs) kept++;
    this.length = kept;
    this.#lastTxNs = kept > 0 ? this.txNs[kept - 1] : Number.NEGATIVE_INFINITY;
  }

  /** Forgets the probes and the sender's time: one of the two clocks has begun anew. */
  clear(): void {
    this.length = 0;
    this.#lastTxNs = Number.NEGATIVE_INFINITY;
  }

  #fell(number: number): OddKind | undefined {
    if (!(number > this.#fallen)) {
      this.#fallen = number;
      return "pairFell";
    }
    // The new numbering's pair goes right behind the newest pair of the old one.
    this.#shift = 2 * Math.ceil((this.#lastProbe + 1) / 2) - 2 * Math.floor(number / 2);
    return undefined;
  }

  #keepFrom(first: number): void {
    for (const column of [this.probe, this.txNs, this.rxNs]) {
      column.copyWithin(0, first, this.length);
    }
    this.length -= first;
  }

  #grow(): void {
    const larger = (column: Float64Array) => {
      const grown = new Float64Array(column.length * 2);
      grown.set(column);
      return grown;
    };
    this.probe = larger(this.probe);
    this.txNs = larger(this.txNs);
    this.rxNs = larger(this.rxNs);
  }
}
