/**
 * How far one host's rows prove that time has come.
 *
 * Problem: a garbled stamp of the future must not close rounds, and a garbled stamp seldom comes
 * alone: what strikes one probe of a pair strikes its twin 10 us later as well. Approach: an instant
 * is proved by two rows that do not hang on each other: on different edges, or of different pairs
 * that arrived 1 ms apart. Cannot see: a fault of the sender that lasts longer or strikes all edges.
 */

/** Pairs of one edge that arrive closer together than this may share a fault (ns). */
const APART_NS_MIN = 1_000_000;

/** See the module head. */
export class Witness {
  /** The host had come to here for certain (ns since its base). */
  provedNs = Number.NEGATIVE_INFINITY;
  /** The row that the next ones are set against; -1: none. */
  #to = -1;
  #pair = 0;
  #txNs = 0;
  #rxNs = 0;

  /** Notes an accepted row; stamps in ns since the bases of sender and receiver. */
  saw(to: number, pair: number, txNs: number, rxNs: number): void {
    if (this.#to === to) {
      const apart = pair !== this.#pair && Math.abs(rxNs - this.#rxNs) >= APART_NS_MIN;
      if (!apart) return;
    }
    if (this.#to >= 0) this.provedNs = Math.max(this.provedNs, Math.min(txNs, this.#txNs));
    this.#to = to;
    this.#pair = pair;
    this.#txNs = txNs;
    this.#rxNs = rxNs;
  }

  /** Takes all evidence back: the rows of the host have gone back. */
  forget(): void {
    this.provedNs = Number.NEGATIVE_INFINITY;
    this.#to = -1;
  }
}
