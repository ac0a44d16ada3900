/**
 * What the writes to a virtual system clock amount to: the sum of all steps and of frequency x time.
 *
 * Approach: a piecewise linear function of raw time, kept as one entry per write. A frequency takes
 * effect at the next tick, as in the kernel; a step just after its write. Two writes that take effect
 * at one instant do so in the order of writing. Reading an old instant gives what was in force then:
 * entries only ever get added behind all readings that were possible before the write.
 */
import { assert, diffNs } from "@ttcs/units";

/** The tick of a kernel with HZ=250 (ns). */
export const TICK_NS = 4_000_000;

/** One write to the clock. */
export interface ControlWrite {
  /** Virtual raw clock just before the write (ns). */
  readonly rawNs: bigint;
  readonly kind: "frequency" | "step";
  /** Frequency: the new setting (ppb). Step: how far the clock moves (ns, positive: forward). */
  readonly value: number;
}

/** The raw instant from which on a write counts (ns). */
export function effectiveRawNs(write: ControlWrite): bigint {
  if (write.kind === "step") return write.rawNs + 1n;
  const tick = BigInt(TICK_NS);
  return ((write.rawNs + tick - 1n) / tick) * tick;
}

/** All writes to one clock as a function of raw time. */
export class ControlTimeline {
  readonly #startRawNs: bigint;
  /** Start of each piece (raw ns since the start), its value there (ns) and its slope (ppb). */
  readonly #startNs: number[] = [Number.NEGATIVE_INFINITY];
  readonly #valueNs: number[] = [0];
  readonly #slopePpb: number[] = [0];
  readonly #writes: (ControlWrite | undefined)[] = [undefined];

  constructor(startRawNs: bigint) {
    this.#startRawNs = startRawNs;
  }

  add(write: ControlWrite): void {
    assert(Number.isFinite(write.value), "a write has a finite value");
    const atNs = diffNs(effectiveRawNs(write), this.#startRawNs);
    // A step may overtake a frequency that waits for its tick.
    const later: ControlWrite[] = [];
    while (this.#startNs[this.#startNs.length - 1] > atNs) later.push(this.#pop());
    this.#push(atNs, write);
    for (const next of later.reverse()) {
      this.#push(diffNs(effectiveRawNs(next), this.#startRawNs), next);
    }
  }

  /** What the writes have added to the clock at `rawNs` since the start (ns). */
  valueAt(rawNs: number): number {
    const i = this.#find(rawNs);
    if (i === 0) return 0;
    return this.#valueNs[i] + (rawNs - this.#startNs[i]) * this.#slopePpb[i] * 1e-9;
  }

  /** The frequency in force at `rawNs` since the start (ppb). */
  slopeAt(rawNs: number): number {
    return this.#slopePpb[this.#find(rawNs)];
  }

  /** The frequency last written, in force or about to be (ppb). */
  get lastSlopePpb(): number {
    return this.#slopePpb[this.#slopePpb.length - 1];
  }

  /** The last piece that begins at or before `rawNs`; recent instants are found at once. */
  #find(rawNs: number): number {
    const starts = this.#startNs;
    let high = starts.length - 1;
    if (starts[high] <= rawNs) return high;
    let low = 0;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= rawNs) low = middle;
      else high = middle;
    }
    return low;
  }

  #push(atNs: number, write: ControlWrite): void {
    const last = this.#startNs.length - 1;
    const slope = this.#slopePpb[last];
    const value = this.valueAt(atNs);
    this.#startNs.push(atNs);
    this.#valueNs.push(write.kind === "step" ? value + write.value : value);
    this.#slopePpb.push(write.kind === "frequency" ? write.value : slope);
    this.#writes.push(write);
  }

  #pop(): ControlWrite {
    const write = this.#writes.pop();
    assert(write !== undefined, "the first piece stays");
    this.#startNs.pop();
    this.#valueNs.pop();
    this.#slopePpb.pop();
    return write;
  }
}
