/**
 * Turns "system minus domain" into one frequency setting a second.
 *
 * Feed-forward: the line from raw to domain time comes from the estimator, which never sees our
 * steering, so the servo only has to lay the system clock onto that line. It keeps domain time's own
 * pace and removes what is left within the horizon:
 *
 *   u = g - e / h - m
 *
 * with g the mean rate of domain time against raw while the setting will hold, e = system - domain, h the
 * horizon and m the learnt mismatch between the setting and the rate it produced. While not LOCKED
 * the horizon is a little more than one update: nearly deadbeat, and a late update does not
 * overshoot. While LOCKED it is three updates, which average the noise of reading the clock.
 *
 * Limits are relative to the learnt base frequency: what a host needs just to keep pace is never
 * counted as slew. What it cannot see: that the line itself is wrong (see the guard).
 */

import { ACQUIRE_SLEW_PPB, LOCKED_SLEW_PPB, STEP_THRESHOLD_NS } from "./limits.ts";

/** The servo's constants. */
export interface ServoOptions {
  /** Steering horizon while not LOCKED and while LOCKED (s). */
  readonly acquireHorizonS: number;
  readonly lockedHorizonS: number;
  /** Largest slew relative to the base frequency before and after the first lock (ppb). */
  readonly acquireSlewPpb: number;
  readonly lockedSlewPpb: number;
  /** The first correction steps the clock when it is further away than this (ns). */
  readonly stepThresholdNs: number;
}

/** Horizons from the architecture's 2 to 4 s. */
export const defaultServoOptions: ServoOptions = {
  acquireHorizonS: 1.1,
  lockedHorizonS: 3,
  acquireSlewPpb: ACQUIRE_SLEW_PPB,
  lockedSlewPpb: LOCKED_SLEW_PPB,
  stepThresholdNs: STEP_THRESHOLD_NS,
};

/** The kernel refuses settings beyond this (ppb). */
export const KERNEL_FREQ_LIMIT_PPB = 500_000;

/** What the servo is told. */
export interface ServoInput {
  /** System minus domain, now (ns, positive: the system clock is ahead). */
  readonly offsetNs: number;
  /** Mean rate of domain time against raw over the coming second, minus one (ppb). */
  readonly domainFreqPpb: number;
  /** Setting in force (ppb) and the rate of system against raw that was measured with it (ppb). */
  readonly settingPpb: number;
  readonly measuredFreqPpb: number;
  /** Standard uncertainty of that measurement (ppb); absent: that of a reading in quiet life. */
  readonly measuredSigmaPpb?: number;
  /** What another hand adds to the rate beside our setting (ppb); 0: nobody does. */
  readonly foreignPpb: number;
  /** True while the clock is LOCKED, and true once it has been since the start. */
  readonly locked: boolean;
  readonly lockedBefore: boolean;
  /** Rate of domain time against raw that the host has learnt (ppb); absent: nothing yet. */
  readonly basePpb?: number;
  /** True when a step is allowed: at the first start, or once back after another hand. */
  readonly mayStep: boolean;
}

/** What the servo wants. */
export type ServoOutput =
  | { readonly kind: "step"; readonly stepNs: number; readonly freqPpb: number }
  | { readonly kind: "slew"; readonly freqPpb: number };

/** How much of a new mismatch reading is believed: noise of one reading is about 20 ppb. */
const MISMATCH_GAIN = 0.1;
/**
 * A reading less certain than this (ppb) is believed so much less, by the square: a process that has
 * just begun knows its rate to a few hundred ppb, and what it learnt then would stand for ten seconds.
 */
const MISMATCH_SIGMA_PPB = 50;
/** A kernel's raw and steered clocks share a crystal: more than this is a reading gone wrong (ppb). */
const MISMATCH_LIMIT_PPB = 2_000;

/** The servo of one clock. */
export class Servo {
  readonly options: ServoOptions;
  #mismatchPpb = 0;

  constructor(options: ServoOptions = defaultServoOptions) {
    this.options = options;
  }

  /** Decides the next setting. Call once per second. */
  decide(input: ServoInput): ServoOutput {
    const { measuredFreqPpb, measuredSigmaPpb = MISMATCH_SIGMA_PPB } = input;
    this.#learn(measuredFreqPpb - input.settingPpb - input.foreignPpb, measuredSigmaPpb);
    // Held against at once: a clock that is told to be wrong by a stranger is wrong all the same.
    const basePpb = input.domainFreqPpb - this.#mismatchPpb - input.foreignPpb;
    if (input.mayStep && Math.abs(input.offsetNs) > this.options.stepThresholdNs) {
      return { kind: "step", stepNs: -Math.round(input.offsetNs), freqPpb: kernelLimit(basePpb) };
    }
    const { acquireHorizonS, lockedHorizonS, acquireSlewPpb, lockedSlewPpb } = this.options;
    const wantedPpb = -input.offsetNs / (input.locked ? lockedHorizonS : acquireHorizonS);
    const limitPpb = input.lockedBefore ? lockedSlewPpb : acquireSlewPpb;
    const slewPpb = clip(wantedPpb, limitPpb);
    // What the line itself asks for beyond the learnt pace is slew as well: no message lifts the limit.
    const learntPpb = input.basePpb ?? input.domainFreqPpb;
    const pacePpb = learntPpb + clip(input.domainFreqPpb - learntPpb + slewPpb, limitPpb);
    const freqPpb = pacePpb - this.#mismatchPpb - input.foreignPpb;
    return { kind: "slew", freqPpb: kernelLimit(freqPpb) };
  }

  /** The setting that keeps domain time's pace and removes nothing. */
  pacePpb({
    domainFreqPpb,
    foreignPpb,
    basePpb = domainFreqPpb,
  }: Pick<ServoInput, "domainFreqPpb" | "foreignPpb" | "basePpb">): number {
    const pacePpb = basePpb + clip(domainFreqPpb - basePpb, this.options.lockedSlewPpb);
    return kernelLimit(pacePpb - this.#mismatchPpb - foreignPpb);
  }

  #learn(readingPpb: number, sigmaPpb: number): void {
    // Also refuses what is no number.
    if (!(Math.abs(readingPpb) <= MISMATCH_LIMIT_PPB && sigmaPpb >= 0)) return;
    const share = Math.min(1, (MISMATCH_SIGMA_PPB / sigmaPpb) ** 2);
    this.#mismatchPpb += MISMATCH_GAIN * share * (readingPpb - this.#mismatchPpb);
  }
}

const clip = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));
const kernelLimit = (freqPpb: number): number => clip(freqPpb, KERNEL_FREQ_LIMIT_PPB);
