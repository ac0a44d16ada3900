/**
 * Probes on their way to a batch: who, which, and when.
 *
 * The three numbers of a probe stand side by side in one array, because they are written into the
 * boxes of hosts all over memory: one line of the cache instead of three.
 */

/** Numbers that an entry takes. */
const STRIDE = 3;

/** See the module head. */
export class Mail {
  length = 0;
  #entries = new Float64Array(STRIDE * 64);

  /** Number of the other host of entry `i`. */
  peer(i: number): number {
    return this.#entries[STRIDE * i];
  }

  probe(i: number): number {
    return this.#entries[STRIDE * i + 1];
  }

  /** When it left or arrived (true ns). */
  atNs(i: number): number {
    return this.#entries[STRIDE * i + 2];
  }

  push(peer: number, probe: number, atNs: number): void {
    const at = STRIDE * this.length++;
    if (at === this.#entries.length) this.#grow();
    const entries = this.#entries;
    entries[at] = peer;
    entries[at + 1] = probe;
    entries[at + 2] = atNs;
  }

  /** Moves what is not later than `untilNs` to `out`, which is emptied first; the rest stays. */
  takeUntil(untilNs: number, out: Mail): void {
    out.length = 0;
    let left = 0;
    for (let i = 0; i < this.length; i++) {
      if (this.atNs(i) <= untilNs) out.push(this.peer(i), this.probe(i), this.atNs(i));
      else this.#move(i, left++);
    }
    this.length = left;
  }

  /** Drops what lies in a span of time. */
  drop(fromNs: number, toNs: number): void {
    let left = 0;
    for (let i = 0; i < this.length; i++) {
      if (this.atNs(i) <= fromNs || this.atNs(i) > toNs) this.#move(i, left++);
    }
    this.length = left;
  }

  /** Sorts by time; a batch is nearly in order, so insertion is quick. */
  sort(): void {
    for (let i = 1; i < this.length; i++) {
      const [peer, probe, atNs] = [this.peer(i), this.probe(i), this.atNs(i)];
      let at = i;
      for (; at > 0 && this.atNs(at - 1) > atNs; at--) this.#move(at - 1, at);
      this.#entries[STRIDE * at] = peer;
      this.#entries[STRIDE * at + 1] = probe;
      this.#entries[STRIDE * at + 2] = atNs;
    }
  }

  #move(from: number, to: number): void {
    const entries = this.#entries;
    entries[STRIDE * to] = entries[STRIDE * from];
    entries[STRIDE * to + 1] = entries[STRIDE * from + 1];
    entries[STRIDE * to + 2] = entries[STRIDE * from + 2];
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#entries.length);
    larger.set(this.#entries);
    this.#entries = larger;
  }
}
