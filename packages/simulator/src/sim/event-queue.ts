/**
 * The event queue: a binary heap on typed arrays.
 *
 * An event is a time, a kind and a subject (a number); whoever needs more keeps it beside under the
 * subject. So nothing is allocated per event. Events of one instant leave in the order in which they
 * came in, so that a seed has one course.
 */

const FIRST_CAPACITY = 1024;

/** See the module head. Times are true ns since the start of the world. */
export class EventQueue {
  #length = 0;
  #came = 0;
  #atNs = new Float64Array(FIRST_CAPACITY);
  /** Order of coming in. */
  #order = new Float64Array(FIRST_CAPACITY);
  #kind = new Uint8Array(FIRST_CAPACITY);
  #subject = new Uint32Array(FIRST_CAPACITY);
  /** The event taken last. */
  atNs = 0;
  kind = 0;
  subject = 0;

  get length(): number {
    return this.#length;
  }

  /** The instant of the next event (ns); infinite when there is none. */
  get nextNs(): number {
    return this.#length > 0 ? this.#atNs[0] : Number.POSITIVE_INFINITY;
  }

  /** Puts an event in. */
  add(atNs: number, kind: number, subject: number): void {
    if (this.#length === this.#atNs.length) this.#grow();
    const order = this.#came++;
    let at = this.#length++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#atNs[parent] <= atNs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#set(at, atNs, order, kind, subject);
  }

  /** Takes the next event into `atNs`, `kind` and `subject`; false when there is none. */
  take(): boolean {
    if (this.#length === 0) return false;
    this.atNs = this.#atNs[0];
    this.kind = this.#kind[0];
    this.subject = this.#subject[0];
    const last = --this.#length;
    if (last > 0) this.#sink(last);
    return true;
  }

  /** Lets the entry at `from` sink from the top to its place. */
  #sink(from: number): void {
    const atNs = this.#atNs[from];
    const order = this.#order[from];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#length) break;
      if (child + 1 < this.#length && this.#before(child + 1, child)) child++;
      const childNs = this.#atNs[child];
      if (childNs > atNs || (childNs === atNs && this.#order[child] > order)) break;
      this.#move(child, at);
      at = child;
    }
    this.#set(at, atNs, order, this.#kind[from], this.#subject[from]);
  }

  #before(a: number, b: number): boolean {
    const apartNs = this.#atNs[a] - this.#atNs[b];
    return apartNs < 0 || (apartNs === 0 && this.#order[a] < this.#order[b]);
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#atNs[from], this.#order[from], this.#kind[from], this.#subject[from]);
  }

  #set(at: number, atNs: number, order: number, kind: number, subject: number): void {
    this.#atNs[at] = atNs;
    this.#order[at] = order;
    this.#kind[at] = kind;
    this.#subject[at] = subject;
  }

  #grow(): void {
    const capacity = 2 * this.#atNs.length;
    const { atNs, order, kind, subject } = {
      atNs: new Float64Array(capacity),
      order: new Float64Array(capacity),
      kind: new Uint8Array(capacity),
      subject: new Uint32Array(capacity),
    };
    atNs.set(this.#atNs);
    order.set(this.#order);
    kind.set(this.#kind);
    subject.set(this.#subject);
    this.#atNs = atNs;
    this.#order = order;
    this.#kind = kind;
    this.#subject = subject;
  }
}
