/**
 * A whole host clock in front of the kernel's, which it only reads.
 *
 * Problem: many hosts on one machine need clocks that err and can be steered, without a hand on the
 * machine's own. Approach: `VirtualScale` says what both clocks show at a reading of the kernel's raw
 * clock. Kernel stamps (CLOCK_REALTIME) are first carried to the kernel's raw clock, with triples of
 * the kernel's clocks, and from there to the virtual scale.
 *
 * Triples are noisy as on a real host: each of the three readings happens a random while after the
 * one before. The reader waits until the last of them is past, so that nothing is read before its
 * time. `read` has no noise: it serves displays, not estimates.
 *
 * Assumptions: the machine's CLOCK_REALTIME is smooth, or the carry notices; stamps that cannot be
 * carried are NaN. What it adds: the carry's error, a few ns, which no real host has.
 */
import { Carry } from "@ttcs/estimator";
import { assert, diffNs, type Prng } from "@ttcs/units";
import { absoluteFrom, createTriples, reserveTriples } from "../columns.ts";
import type {
  ClockReading,
  ClockStatus,
  LabOptions,
  SystemClock,
  TripleColumns,
} from "../types.ts";
import { ControlLog, controlLogPath } from "./control-log.ts";
import { ForeignHand } from "./foreign.ts";
import { hostStream } from "./oscillator.ts";
import { VirtualScale } from "./scale.ts";
import type { ControlKind } from "./timeline.ts";

/** The kernel's clocks, as far as a virtual clock may see them: no call changes anything. */
export interface KernelReadings {
  readRaw(): bigint;
  readTriples(count: number, out: TripleColumns): void;
}

/** Mean time between two readings of a triple (ns), and the rare interruption (ns, one in). */
const READING_MEAN_NS = 50;
const INTERRUPTION_NS = 30_000;
const INTERRUPTION_ONE_IN = 100;
/** Triples for the carry at opening, and the time they span (ns): 1 ppm from the start. */
const FIRST_TRIPLES = 64;
const FIRST_SPAN_NS = 5_000_000;
/** Times that stamps are tried to be carried: a clock that did change is known as changed by then. */
const CARRY_TRIES = 4;
/** Triples for the carry each time it is used. */
const CARRY_TRIPLES = 2;
/** As in kernel/time/ntp.c: an unknown error (ns), and how fast an error grows (ppb). */
const UNKNOWN_ERROR_NS = 16e9;
const ERROR_GROWTH_PPB = 500_000;
/** The foreign hand's file is looked at this often (ns of kernel time). */
const FOREIGN_EVERY_NS = 50_000_000;
/** The kernel's limit, held here as well (ppb). */
const FREQUENCY_LIMIT_PPB = 500_000;

/** The clocks of a laboratory host. */
export class VirtualSystemClock implements SystemClock {
  readonly #kernel: KernelReadings;
  readonly #scale: VirtualScale;
  readonly #startKernelRawNs: bigint;
  readonly #hasDaemon: boolean;
  readonly #log: ControlLog;
  readonly #foreign: ForeignHand;
  readonly #noise: Prng;
  readonly #carry = new Carry();
  readonly #kernelTriples = createTriples(FIRST_TRIPLES);
  #maxErrorNs = UNKNOWN_ERROR_NS;
  #estErrorNs = UNKNOWN_ERROR_NS;
  #synchronised = false;
  /** When the errors were set (kernel ns since the start). */
  #errorsSetNs = 0;
  /** When the foreign hand's file is looked at next (kernel ns since the start). */
  #foreignNextNs = Number.NEGATIVE_INFINITY;

  /** Opens the clock where its log says it is. Errors: CONFIG_UNREADABLE. */
  constructor(lab: LabOptions, kernel: KernelReadings) {
    this.#kernel = kernel;
    this.#scale = new VirtualScale(lab);
    this.#startKernelRawNs = lab.startKernelRawNs;
    this.#hasDaemon = lab.timeDaemon;
    this.#noise = hostStream(lab.seed, lab.index, "readings");
    this.#log = new ControlLog(controlLogPath(lab.stateDir, lab.index));
    for (const write of this.#log.past) this.#scale.control.add(write);
    this.#foreign = new ForeignHand(lab.stateDir, lab.index, this.#log.past);
    const firstNs = this.kernelNowNs();
    for (let i = 0; i < FIRST_TRIPLES; i++) {
      while (this.kernelNowNs() < firstNs + (i * FIRST_SPAN_NS) / FIRST_TRIPLES);
      this.#kernel.readTriples(1, this.#kernelTriples);
    }
    this.#carry.addTriples(this.#kernelTriples);
  }

  readTriples(count: number, out: TripleColumns): void {
    this.#heedForeignHand();
    reserveTriples(out, count);
    for (let i = 0; i < count; i++) {
      const beforeNs = this.kernelNowNs() + this.#delayNs();
      const systemNs = beforeNs + this.#delayNs();
      const afterNs = systemNs + this.#delayNs();
      const at = out.length++;
      out.rawBeforeNs[at] = this.#rawAt(beforeNs);
      out.systemNs[at] = this.#systemAt(systemNs);
      out.rawAfterNs[at] = this.#rawAt(afterNs);
      while (this.kernelNowNs() < afterNs);
    }
    this.#feedCarry();
  }

  read(): ClockReading {
    const kernelRawNs = this.#kernel.readRaw();
    const rawNs = this.#scale.rawAt(kernelRawNs);
    const systemNs = this.#scale.systemAt(kernelRawNs);
    // Rounding is all that parts the three.
    return { kernelRawNs, rawNs, systemNs, errorBoundNs: 1 };
  }

  readStatus(): ClockStatus {
    const nowNs = this.kernelNowNs();
    const rawNs = this.#scale.oscillator.rawSince(nowNs);
    const freqPpb = this.#scale.daemonPpb(rawNs) + this.#scale.control.lastSettingPpb;
    if (this.#hasDaemon) {
      const maxErrorNs = this.#scale.daemonMaxErrorNs;
      return { freqPpb, maxErrorNs, estErrorNs: maxErrorNs / 2, synchronised: true };
    }
    const grownNs = (nowNs - this.#errorsSetNs) * ERROR_GROWTH_PPB * 1e-9;
    const maxErrorNs = Math.min(UNKNOWN_ERROR_NS, this.#maxErrorNs + grownNs);
    const synchronised = this.#synchronised && maxErrorNs < UNKNOWN_ERROR_NS;
    return { freqPpb, maxErrorNs, estErrorNs: this.#estErrorNs, synchronised };
  }

  adjustFrequency(freqPpb: number): bigint {
    const inRange = Math.abs(freqPpb) <= FREQUENCY_LIMIT_PPB;
    assert(inRange, "a frequency is within 500 ppm");
    return this.#write("frequency", freqPpb);
  }

  step(stepNs: number): bigint {
    return this.#step("step", Math.round(stepNs));
  }

  setErrors(maxErrorNs: number, estErrorNs: number, synchronised: boolean): void {
    this.#maxErrorNs = maxErrorNs;
    this.#estErrorNs = estErrorNs;
    this.#synchronised = synchronised;
    this.#errorsSetNs = this.kernelNowNs();
  }

  close(): void {
    this.#log.close();
    this.#foreign.close();
  }

  /** The kernel's raw clock since the laboratory began (ns). */
  kernelNowNs(): number {
    return diffNs(this.#kernel.readRaw(), this.#startKernelRawNs);
  }

  /**
   * Carries the first `count` kernel stamps (CLOCK_REALTIME, Unix ns) to the kernel's raw clock, in ns
   * since the laboratory began; NaN where that is impossible.
   */
  carryStamps(realtimeNs: BigInt64Array, count: number, outKernelNs: Float64Array): void {
    // Two readings that were both interrupted look like a changed clock: look again before giving up.
    for (let tries = 0; tries < CARRY_TRIES; tries++) {
      this.#feedCarry();
      const carried = this.#carry.toRaw(realtimeNs, count, this.#startKernelRawNs, outKernelNs);
      if (carried === count) return;
    }
  }

  /**
   * The virtual system clock (Unix ns) at the first `count` instants of the kernel's raw clock, none
   * of them in the future. Overwrites `kernelNs`.
   */
  systemColumn(kernelNs: Float64Array, count: number, out: BigInt64Array): void {
    for (let i = 0; i < count; i++) kernelNs[i] = this.#scale.systemSinceKernel(kernelNs[i]);
    absoluteFrom(this.#scale.startSystemNs, kernelNs, count, out);
  }

  /** Does what a foreign hand has asked for since the last look, at most every 50 ms. */
  #heedForeignHand(): void {
    const nowNs = this.kernelNowNs();
    if (nowNs < this.#foreignNextNs) return;
    this.#foreignNextNs = nowNs + FOREIGN_EVERY_NS;
    for (const { kind, value } of this.#foreign.readOn()) {
      if (kind === "foreign-step") this.#step(kind, value);
      else this.#write(kind, value);
    }
  }

  /** Whoever sets the clock makes the kernel forget how good it was. */
  #step(kind: "step" | "foreign-step", stepNs: number): bigint {
    const rawNs = this.#write(kind, stepNs);
    this.setErrors(UNKNOWN_ERROR_NS, UNKNOWN_ERROR_NS, false);
    return rawNs;
  }

  #write(kind: ControlKind, value: number): bigint {
    const { rawNs } = this.read();
    const write = { rawNs, kind, value };
    this.#log.append(write);
    this.#scale.control.add(write);
    return rawNs;
  }

  #rawAt(kernelNs: number): bigint {
    const { oscillator } = this.#scale;
    return oscillator.startRawNs + BigInt(Math.floor(oscillator.rawSince(kernelNs)));
  }

  #systemAt(kernelNs: number): bigint {
    return this.#scale.startSystemNs + BigInt(Math.floor(this.#scale.systemSinceKernel(kernelNs)));
  }

  #delayNs(): number {
    if (this.#noise.uniform() * INTERRUPTION_ONE_IN < 1) return INTERRUPTION_NS;
    return this.#noise.exponential(READING_MEAN_NS);
  }

  #feedCarry(): void {
    this.#kernelTriples.length = 0;
    this.#kernel.readTriples(CARRY_TRIPLES, this.#kernelTriples);
    this.#carry.addTriples(this.#kernelTriples);
  }
}
