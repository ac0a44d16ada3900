/**
 * The two clocks of a laboratory host as functions of the kernel's raw clock.
 *
 * System clock: S = S0 + r + D(r) + C(r), with r the virtual raw time since the start, C what the
 * control log holds, and D the simulated time daemon of a reference (0 elsewhere). All of it follows
 * from seed and log, so that truth can be computed by another process. The formulas are written down
 * in docs/lab.md; the laboratory computes them a second time, by code that shares nothing with this.
 *
 * True time (UTC) of the laboratory is the kernel's raw clock, set at its start. The daemon cancels
 * the oscillator's f0, so that the clock runs with true time. Every 16 s it aims at another small
 * offset, drawn by the seed, and its rate changes accordingly, by at most 150 ppb around the mean.
 * Offsets rather than rates are drawn because rates would add up to a random walk away from true
 * time. Own writes and a foreign hand add to the daemon's: on a real host they would fight.
 *
 * One slew may come on top: from `atS` on the clock moves by `slewNs` at `ratePpb`, as a daemon does
 * that finds its clock off. The clock begins half of it on the other side of true time, so that it
 * is off by the same amount before and after, and an honest daemon can state one maxerror for both.
 *
 * That maxerror covers what the clock can be off by its construction, without own writes: half the
 * slew; 50 us at the start; two swings of 1.2 us; and the oscillator's wander, which the daemon does
 * not cancel: up to 39 us, twice the sum of all its sines. That makes 91 us, so 100 us are stated,
 * plus 1.1 times half the slew: who finds his clock off knows it within a tenth.
 */
import { diffNs, hashText, mix32, SECOND_NS, unitOf } from "@ttcs/units";
import type { DaemonSlew, LabOptions } from "../types.ts";
import { hostStream, Oscillator } from "./oscillator.ts";
import { ControlTimeline } from "./timeline.ts";

/** How far a clock is off when the laboratory starts, at most (ns). */
const START_OFFSET_NS = 5_000_000;
const DAEMON_START_OFFSET_NS = 50_000;
/** The daemon changes its rate this often (ns of virtual raw time). */
export const DAEMON_PERIOD_NS = 16e9;
/** Half of the span of the daemon's offsets (ns): 150 ppb over 16 s from end to end. */
const DAEMON_SWING_NS = 1200;
/** What the daemon says of its clock (ns), and what a slew adds (share of half the slew); see above. */
const DAEMON_MAX_ERROR_NS = 100_000;
const SLEW_MAX_ERROR_SHARE = 1.1;

/** Raw and system clock of one laboratory host. Numbers are ns since the laboratory began. */
export class VirtualScale {
  readonly oscillator: Oscillator;
  readonly control: ControlTimeline;
  /** The system clock at the start (Unix ns). */
  readonly startSystemNs: bigint;
  /** The maxerror that the daemon states, always (ns); 0 without a daemon. */
  readonly daemonMaxErrorNs: number;
  readonly #daemon: boolean;
  readonly #daemonSeed: number;
  readonly #daemonRate: number;
  readonly #slew: DaemonSlew | undefined;

  constructor(lab: LabOptions) {
    this.oscillator = new Oscillator(lab.seed, lab.index, lab.startKernelRawNs);
    this.control = new ControlTimeline(this.oscillator.startRawNs);
    this.#daemon = lab.timeDaemon;
    this.#slew = lab.timeDaemon ? lab.slew : undefined;
    const spreadNs = lab.timeDaemon ? DAEMON_START_OFFSET_NS : START_OFFSET_NS;
    const drawnNs = hostStream(lab.seed, lab.index, "start").between(-spreadNs, spreadNs);
    const halfSlewNs = (this.#slew?.slewNs ?? 0) / 2;
    this.startSystemNs = lab.startUnixNs + BigInt(Math.round(drawnNs - halfSlewNs));
    const slewErrorNs = SLEW_MAX_ERROR_SHARE * Math.abs(halfSlewNs);
    this.daemonMaxErrorNs = lab.timeDaemon ? DAEMON_MAX_ERROR_NS + slewErrorNs : 0;
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

  /** The daemon's share of that rate, its slew included (ppb). */
  daemonPpb(rawNs: number): number {
    if (!this.#daemon) return 0;
    const turn = Math.floor(rawNs / DAEMON_PERIOD_NS);
    const swingNs = this.#swingNs(turn + 1) - this.#swingNs(turn);
    return (this.#daemonRate + swingNs / DAEMON_PERIOD_NS) * 1e9 + this.#slewPpb(rawNs);
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
    return rawNs * this.#daemonRate + (swing - this.#swingNs(0) + this.#slewedNs(rawNs));
  }

  /** What the slew has moved the clock by (ns). */
  #slewedNs(rawNs: number): number {
    const slew = this.#slew;
    if (!slew) return 0;
    const sinceNs = Math.max(0, rawNs - slew.atS * SECOND_NS);
    const movedNs = Math.min(Math.abs(slew.slewNs), sinceNs * slew.ratePpb * 1e-9);
    return Math.sign(slew.slewNs) * movedNs;
  }

  #slewPpb(rawNs: number): number {
    const slew = this.#slew;
    if (!slew || rawNs < slew.atS * SECOND_NS) return 0;
    const done = Math.abs(this.#slewedNs(rawNs)) >= Math.abs(slew.slewNs);
    return done ? 0 : Math.sign(slew.slewNs) * slew.ratePpb;
  }

  /** The offset that the daemon aims at when turn `turn` begins (ns, within +-DAEMON_SWING_NS). */
  #swingNs(turn: number): number {
    return (2 * unitOf(mix32(this.#daemonSeed, turn)) - 1) * DAEMON_SWING_NS;
  }
}
