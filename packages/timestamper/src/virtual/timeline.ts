/**
 * What the writes to a virtual system clock amount to: the sum of all steps and of frequency x time.
 *
 * Approach: a piecewise linear function of raw time, kept as one entry per write. A frequency takes
 * effect at the next tick, as in the kernel; a step just after its write. Two writes that take effect
 * at one instant do so in the order of writing. Reading an old instant gives what was in force then:
 * entries only ever get added behind all readings that were possible before the write.
 *
 * Rates are two, and they add: the frequency setting, which whoever writes it last has set, and the
 * lasting slew of a foreign hand, which no setting ends (as the kernel's adjtime beside its
 * frequency).
 */
import { assert, diffNs } from "@ttcs/units";

/** The tick of a kernel with HZ=250 (ns). */
export const TICK_NS = 4_000_000;

/** One write to the clock. */
export interface ControlWrite {
  /** Virtual raw clock just before the write (ns). */
  readonly rawNs: bigint;
  readonly kind: ControlKind;
  /** Steps: how far the clock moves (ns, positive: forward). Others: the new rate (ppb). */
  readonly value: number;
}

/**
 * "frequency" and "step" are the agent's own writes. The others are a foreign hand's: a lasting slew
 * beside the setting, a step, and an overwritten setting.
 */
export type ControlKind = "frequency" | "step" | ForeignKind;
export type ForeignKind = "foreign-rate" | "foreign-step" | "foreign-setting";

const isStep = (kind: ControlKind): boolean => kind === "step" || kind === "foreign-step";

/** The raw instant from which on a write counts (ns). */
export function effectiveRawNs(write: ControlWrite): bigint {
  if (isStep(write.kind)) return write.rawNs + 1n;
  const tick = BigInt(TICK_NS);
  return ((write.rawNs + tick - 1n) / tick) * tick;
}

/** All writes to one clock as a function of raw time. */
export class ControlTimeline {
  readonly #startRawNs: bigint;
  /** Start of each piece (raw ns since the start), its value there (ns) and its two rates (ppb). */
  readonly #startNs: number[] = [Number.NEGATIVE_INFINITY];
  readonly #valueNs: number[] = [0];
  readonly #settingPpb: number[] = [0];
  readonly #foreignPpb: number[] = [0];
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
    const slopePpb = this.#settingPpb[i] + this.#foreignPpb[i];
    return this.#valueNs[i] + (rawNs - this.#startNs[i]) * slopePpb * 1e-9;
  }

  /** The rate in force at `rawNs` since the start, setting and foreign slew together (ppb). */
  slopeAt(rawNs: number): number {
    const i = this.#find(rawNs);
    return this.#settingPpb[i] + this.#foreignPpb[i];
  }

  /** The frequency setting last written, in force or about to be (ppb). */
  get lastSettingPpb(): number {
    return this.#settingPpb[this.#settingPpb.length - 1];
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
    const { kind, value } = write;
    const before = this.valueAt(atNs);
    const isSetting = kind === "frequency" || kind === "foreign-setting";
    this.#startNs.push(atNs);
    this.#valueNs.push(isStep(kind) ? before + value : before);
    this.#settingPpb.push(isSetting ? value : this.#settingPpb[last]);
    this.#foreignPpb.push(kind === "foreign-rate" ? value : this.#foreignPpb[last]);
    this.#writes.push(write);
  }

  #pop(): ControlWrite {
    const write = this.#writes.pop();
    assert(write !== undefined, "the first piece stays");
    this.#startNs.pop();
    this.#valueNs.pop();
    this.#settingPpb.pop();
    this.#foreignPpb.pop();
    return write;
  }
}
