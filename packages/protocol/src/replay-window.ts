/**
 * Which probes of one key have been seen: each number is accepted once.
 *
 * Approach: the highest number accepted, and a bit for each of those just below it (RFC 4303, 3.4.3, the
 * window of IPsec). What lies below the window is refused unseen: it was overtaken by more than a window
 * of others. Probes of an edge come at 1,000 a second at most, and one that is a second late is of no
 * use.
 *
 * What it cannot see: whether a number is true. It is asked before the MAC is looked at, because it costs
 * less, and is marked after.
 */

/** Numbers below the highest that are still told apart: a power of two. */
const WINDOW = 1_024;
const WORDS = WINDOW / 32;

/** See the module head. Numbers are whole, 0 to 2^53-1. */
export class ReplayWindow {
  /** Bit n mod WINDOW is that of number n. */
  readonly #seen = new Uint32Array(WORDS);
  #highest = -1;

  /** True when `number` was not marked yet and can still be told apart. */
  isFresh(number: number): boolean {
    if (number > this.#highest) return true;
    if (this.#highest - number >= WINDOW) return false;
    const bit = number % WINDOW;
    return (this.#seen[bit >>> 5] & (1 << (bit & 31))) === 0;
  }

  /** Marks a number that is fresh. */
  mark(number: number): void {
    if (number > this.#highest) {
      this.#forgetUpTo(number);
      this.#highest = number;
    }
    const bit = number % WINDOW;
    this.#seen[bit >>> 5] |= 1 << (bit & 31);
  }

  /** The bits of the numbers that come into the window stood for others. */
  #forgetUpTo(number: number): void {
    if (number - this.#highest >= WINDOW) {
      this.#seen.fill(0);
      return;
    }
    for (let n = this.#highest + 1; n <= number; n++) {
      const bit = n % WINDOW;
      this.#seen[bit >>> 5] &= ~(1 << (bit & 31));
    }
  }
}
