/**
 * The two clocks of a laboratory host as functions of the kernel's raw clock.
 *
 * System clock: S = S0 + r + D(r) + C(r), with r the virtual raw time since the start, C what the
 * control log holds, and D the simulated time daemon of a reference (0 elsewhere). All of it follows
 * from seed and log, so that truth can be computed by another process.
 *
 * The daemon cancels the oscillator's f0, so that the clock runs with the kernel's raw clock, which
 * is the laboratory's true time. Every 16 s it aims at another small offset, drawn by the seed, and
 * its rate changes accordingly, by at most 150 ppb around the mean. Offsets rather than rates are
 * drawn because rates would add up to a random walk away from true time. Own writes add to the
 * daemon's: on a real host they would fight.
 */
import { diffNs, hashText, mix32, unitOf } from "@ttcs/units";
import type { LabOptions } from "../types.ts";
import { hostStream, Oscillator } from "./oscillator.ts";
import { ControlTimeline } from "./timeline.ts";

/** How far a clock is off when the laboratory starts, at most (ns). */
const START_OFFSET_NS = 5_000_000;
const DAEMON_START_OFFSET_NS = 50_000;
/** The daemon changes its rate this often (ns of virtual raw time). */
export const DAEMON_PERIOD_NS = 16e9;
/** Half of the span of the daemon's offsets (ns): 150 ppb over 16 s from end to end. */
const DAEMON_SWING_NS = 1200;

/** Raw and system clock of one laboratory host. Numbers are ns since the laboratory began. */
export class VirtualScale {
  readonly oscillator: Oscillator;
  readonly control: ControlTimeline;
  /** The system clock at the start (Unix ns). */
  readonly startSystemNs: bigint;
  readonly #daemon: boolean;
  readonly #daemonSeed: number;
  readonly #daemonRate: number;

  constructor(lab: LabOptions) {
    this.oscillator = new Oscillator(lab.seed, lab.index, lab.startKernelRawNs);
    this.control = new ControlTimeline(this.oscillator.startRawNs);
    const spreadNs = lab.timeDaemon ? DAEMON_START_OFFSET_NS : START_OFFSET_NS;
    const offsetNs = hostStream(lab.seed, lab.index, "start").between(-spreadNs, spreadNs);
    this.startSystemNs = lab.startUnixNs + BigInt(Math.round(offsetNs));
    this.#daemon = lab.timeDaemon;
    this.#daemonSeed = mix32(mix32(lab.seed, hashText("daemon")), lab.index);
    const fast = this.oscillator.freqPpb * 1e-9;
    this.#daemonRate = -fast / (1 + fast);
  }

  /** System ns since the start at raw ns since the start. */
  systemSince(rawNs: number): number {
    return rawNs + (this.#daemonNs(rawNs) + this.control.valueAt(rawNs));
  }

  /** Rate of the system clock against raw at raw ns since the start (ppb, positive: system fast). */
  freqAt(rawNs: number): number {
    return this.daemonPpb(rawNs) + this.control.slopeAt(rawNs);
  }

  /** The daemon's share of that rate (ppb). */
  daemonPpb(rawNs: number): number {
    if (!this.#daemon) return 0;
    const turn = Math.floor(rawNs / DAEMON_PERIOD_NS);
    const swingNs = this.#swingNs(turn + 1) - this.#swingNs(turn);
    return (this.#daemonRate + swingNs / DAEMON_PERIOD_NS) * 1e9;
  }

  /** The virtual raw clock (ns, rounded down) at a reading of the kernel's raw clock. */
  rawAt(kernelRawNs: bigint): bigint {
    return this.oscillator.rawAt(kernelRawNs);
  }

  /** The virtual system clock (Unix ns, rounded down) at a reading of the kernel's raw clock. */
  systemAt(kernelRawNs: bigint): bigint {
    const kernelNs = diffNs(kernelRawNs, this.oscillator.startKernelRawNs);
    return this.startSystemNs + BigInt(Math.floor(this.systemSinceKernel(kernelNs)));
  }

  /** System ns since the start at kernel ns since the start. */
  systemSinceKernel(kernelNs: number): number {
    return this.systemSince(this.oscillator.rawSince(kernelNs));
  }

  #daemonNs(rawNs: number): number {
    if (!this.#daemon) return 0;
    const turns = rawNs / DAEMON_PERIOD_NS;
    const turn = Math.floor(turns);
    const from = this.#swingNs(turn);
    const swing = from + (this.#swingNs(turn + 1) - from) * (turns - turn);
    return rawNs * this.#daemonRate + swing - this.#swingNs(0);
  }

  /** The offset that the daemon aims at when turn `turn` begins (ns, within +-DAEMON_SWING_NS). */
  #swingNs(turn: number): number {
    return (2 * unitOf(mix32(this.#daemonSeed, turn)) - 1) * DAEMON_SWING_NS;
  }
}
