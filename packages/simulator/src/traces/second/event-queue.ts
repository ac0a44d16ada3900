/** Things to come, the earliest first; what comes at one instant comes in the order it was put in. */

/** A binary heap. */
export class EventQueue<T> {
  readonly #heap: { readonly atNs: number; readonly order: number; readonly what: T }[] = [];
  #order = 0;

  /** Puts in what comes at `atNs`. */
  push(atNs: number, what: T): void {
    const heap = this.#heap;
    const entry = { atNs, order: this.#order++, what };
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  /** Takes the earliest out, with its instant; undefined when there is none. */
  pop(): readonly [number, T] | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last) return undefined;
    if (heap.length === 0) return [first.atNs, first.what];
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return [first.atNs, first.what];
  }
}

interface Entry {
  readonly atNs: number;
  readonly order: number;
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);
