/**
 * One number for a whole course of events.
 *
 * Two runs are the same when every correction, write, state and stamp was: all of them are mixed, in
 * order, into two 32-bit lanes (steps of MurmurHash3 with different multipliers). A double is mixed
 * by its bits, so that a difference of a billionth of a nanosecond shows. Not for secrets.
 */
import { hashText } from "@ttcs/units";

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** See the module head. */
export class EventHash {
  #low = 0x9e3779b9;
  #high = 0x85ebca6b;

  /** Mixes a 32-bit word in. */
  word(value: number): void {
    let a = this.#low ^ Math.imul(value, 0xcc9e2d51);
    a = (a << 13) | (a >>> 19);
    this.#low = (Math.imul(a, 5) + 0xe6546b64) | 0;
    let b = this.#high ^ Math.imul(value ^ this.#low, 0x1b873593);
    b = (b << 15) | (b >>> 17);
    this.#high = (Math.imul(b, 9) + 0x38495ab5) | 0;
  }

  /** Mixes a number in by its bits. */
  number(value: number): void {
    double[0] = value;
    this.word(words[0]);
    this.word(words[1]);
  }

  text(value: string): void {
    this.word(hashText(value));
    this.word(value.length);
  }

  /** The hash so far, as 16 hexadecimal digits. */
  get hex(): string {
    return `${hex(this.#high)}${hex(this.#low)}`;
  }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
