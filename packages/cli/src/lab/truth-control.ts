/**
 * What the writes in a control log amount to, as a sum of ramps.
 *
 * Each write of a rate is a ramp that begins when the write takes effect and rises with the change of
 * that rate; each step is a constant from then on. So at raw time r the sum is A + B r, with A and B
 * the totals of the writes in effect: exact whole numbers, and no piece depends on another.
 */
import { fixedNs, fixedPpb, NS, toProduct, toTime } from "./truth-fixed.ts";
import type { LoggedWrite } from "./truth-log.ts";

/** docs/lab.md, "Writes": rates take effect at the next tick of the raw clock. */
const TICK_NS = 4_000_000n;

/** One write: from `from` (ns since the start) on it adds a + b r; totals include all before it. */
interface Term {
  readonly from: bigint;
  readonly a: bigint;
  readonly b: bigint;
  totalA: bigint;
  totalB: bigint;
}

/** See the module head. */
export class ControlSum {
  readonly #startRawNs: bigint;
  /** In the order in which they take effect. */
  readonly #terms: Term[] = [];
  /** The setting and the foreign slew last written (fixed-point ppb). */
  #setting = 0n;
  #slew = 0n;

  constructor(startRawNs: bigint) {
    this.#startRawNs = startRawNs;
  }

  add({ rawNs, kind, value }: LoggedWrite): void {
    if (kind === "step" || kind === "foreign-step") {
      this.#insert(rawNs + 1n - this.#startRawNs, toProduct(fixedNs(value)), 0n);
      return;
    }
    const rate = fixedPpb(value);
    const isSlew = kind === "foreign-rate";
    const change = rate - (isSlew ? this.#slew : this.#setting);
    if (isSlew) this.#slew = rate;
    else this.#setting = rate;
    const over = rawNs % TICK_NS;
    const from = rawNs + (over === 0n ? 0n : TICK_NS - over) - this.#startRawNs;
    this.#insert(from, -change * from * NS, change);
  }

  /** The sum at raw time `raw` since the start (2^-32 ns both). */
  at(raw: bigint): bigint {
    const terms = this.#terms;
    // Recent instants are what is asked for.
    let i = terms.length - 1;
    while (i >= 0 && terms[i].from * NS > raw) i--;
    return i < 0 ? 0n : toTime(terms[i].totalA + terms[i].totalB * raw);
  }

  #insert(from: bigint, a: bigint, b: bigint): void {
    const terms = this.#terms;
    let i = terms.length;
    // A step may overtake a rate that waits for its tick.
    while (i > 0 && terms[i - 1].from > from) i--;
    terms.splice(i, 0, { from, a, b, totalA: 0n, totalB: 0n });
    for (; i < terms.length; i++) {
      const before = terms[i - 1];
      terms[i].totalA = (before?.totalA ?? 0n) + terms[i].a;
      terms[i].totalB = (before?.totalB ?? 0n) + terms[i].b;
    }
  }
}
