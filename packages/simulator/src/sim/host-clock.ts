/**
 * Both clocks of one host: raw, which nobody can touch, and the system clock, which is steered.
 *
 * All instants are kept as doubles relative to a zero of their scale, so that no stamp costs a bigint;
 * over hours that is exact to a thousandth of a nanosecond. The system clock is a straight line of the
 * raw one from write to write; a frequency takes effect at the next tick of the kernel, a step at once.
 * Writes of the past are remembered, for stamps are read out later than they were taken.
 */
import { addNs, type Prng, type RawNanos, rawNanos } from "@ttcs/units";
import { Crystal, type CrystalSpec } from "./crystal.ts";

/** Civil time at the start of the world (Unix ns): 2026-11-22. */
export const UNIX_ZERO_NS = 1_795_305_600_000_000_000n;
/** What a raw clock shows when a machine has booted (ns). */
const BOOT_RAW_NS = 10e9;
/** Raw clocks have run for up to 11 days before the world begins (ns). */
const RAW_ZERO_NS_MAX = 1e15;
/** Pieces remembered: more than a pause of some seconds can hold. A power of two. */
const PIECES = 32;
/** A frequency takes effect at a tick of the kernel (ns): 250 a second. */
const TICK_NS = 4e6;

/** See the module head. Times are true ns since the start of the world. */
export class HostClock {
  readonly #crystal: Crystal;
  #rawZeroNs: bigint;
  /** Where a piece begins: raw minus raw zero, and system minus the start's civil time (ns). */
  readonly #rawNs = new Float64Array(PIECES);
  readonly #systemNs = new Float64Array(PIECES);
  readonly #settingPpb = new Float64Array(PIECES);
  readonly #foreignPpb = new Float64Array(PIECES);
  #pieces = 0;
  /** Newest piece, cached: almost every stamp lies on it. */
  #lastRawNs = 0;
  #lastSystemNs = 0;
  #lastRate = 0;

  constructor(spec: CrystalSpec, systemErrorNs: number, random: Prng) {
    this.#crystal = new Crystal(spec, random);
    this.#rawZeroNs = BigInt(Math.floor(random.uniform() * RAW_ZERO_NS_MAX));
    this.#add(0, systemErrorNs, 0, 0);
  }

  /** Setting of the frequency that the kernel tells (ppb). */
  get settingPpb(): number {
    return this.#settingPpb[(this.#pieces - 1) % PIECES];
  }

  /** What another hand adds to the rate (ppb). */
  get foreignPpb(): number {
    return this.#foreignPpb[(this.#pieces - 1) % PIECES];
  }

  /** Frequency error of the crystal (ppb). */
  freqPpbAt(atNs: number): number {
    return this.#crystal.freqPpbAt(atNs);
  }

  /** Zero of `rawNsAt` (ns of the raw clock). */
  get rawZeroNs(): bigint {
    return this.#rawZeroNs;
  }

  /** The raw clock, relative to its zero (ns). */
  rawNsAt(atNs: number): number {
    return atNs + this.#crystal.phaseNs(atNs);
  }

  rawAt(atNs: number): RawNanos {
    return rawNanos(addNs(this.#rawZeroNs, Math.floor(this.rawNsAt(atNs))));
  }

  /** The system clock minus civil time at the start (ns). */
  systemNsAt(atNs: number): number {
    const rawNs = atNs + this.#crystal.phaseNs(atNs);
    const sinceNs = rawNs - this.#lastRawNs;
    if (sinceNs >= 0) return this.#lastSystemNs + sinceNs + sinceNs * this.#lastRate;
    return this.#systemOf(rawNs);
  }

  /** Sets the frequency of the system clock against raw (ppb); returns the raw instant. */
  adjust(atNs: number, settingPpb: number): RawNanos {
    const rawNs = this.rawNsAt(atNs);
    const tickNs = Math.max(this.#lastRawNs, Math.ceil(rawNs / TICK_NS) * TICK_NS);
    this.#add(tickNs, this.#systemOf(tickNs), settingPpb, this.foreignPpb);
    return this.rawAt(atNs);
  }

  /** Another hand adds `foreignPpb` to the rate from now on; the kernel's setting does not show it. */
  disturb(atNs: number, foreignPpb: number): void {
    const rawNs = Math.max(this.#lastRawNs, this.rawNsAt(atNs));
    this.#add(rawNs, this.#systemOf(rawNs), this.settingPpb, foreignPpb);
  }

  /** The crystal's frequency is another by `ppb` from now on. */
  jump(ppb: number): void {
    this.#crystal.jump(ppb);
  }

  /** Moves the system clock by `stepNs` at once; returns the raw instant. */
  step(atNs: number, stepNs: number): RawNanos {
    const rawNs = Math.max(this.#lastRawNs, this.rawNsAt(atNs));
    this.#add(rawNs, this.#systemOf(rawNs) + stepNs, this.settingPpb, this.foreignPpb);
    return this.rawAt(atNs);
  }

  /** Raw and system clock both jump by whole nanoseconds: the counter that both are made of did. */
  rawJump(atNs: number, jumpNs: number): void {
    this.step(atNs, jumpNs);
    this.#rawZeroNs += BigInt(Math.round(jumpNs));
  }

  /**
   * The machine has booted: the raw clock has a new zero, the system clock comes from a battery clock
   * that is off by `errorNs`.
   */
  reboot(atNs: number, errorNs: number): void {
    const rawNs = this.rawNsAt(atNs);
    const systemNs = this.#systemOf(rawNs) + errorNs;
    // Relative instants go on; only what they are relative to is new.
    this.#rawZeroNs = BigInt(Math.round(BOOT_RAW_NS - rawNs));
    this.#pieces = 0;
    this.#add(rawNs, systemNs, 0, 0);
  }

  #systemOf(rawNs: number): number {
    let piece = this.#pieces - 1;
    const oldest = Math.max(0, this.#pieces - PIECES);
    while (piece > oldest && this.#rawNs[piece % PIECES] > rawNs) piece--;
    const i = piece % PIECES;
    const sinceNs = rawNs - this.#rawNs[i];
    const rate = (this.#settingPpb[i] + this.#foreignPpb[i]) * 1e-9;
    return this.#systemNs[i] + sinceNs + sinceNs * rate;
  }

  #add(rawNs: number, systemNs: number, settingPpb: number, foreignPpb: number): void {
    const i = this.#pieces++ % PIECES;
    this.#rawNs[i] = rawNs;
    this.#systemNs[i] = systemNs;
    this.#settingPpb[i] = settingPpb;
    this.#foreignPpb[i] = foreignPpb;
    this.#lastRawNs = rawNs;
    this.#lastSystemNs = systemNs;
    this.#lastRate = (settingPpb + foreignPpb) * 1e-9;
  }
}
