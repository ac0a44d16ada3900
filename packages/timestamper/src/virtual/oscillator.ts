/**
 * The raw clock of a laboratory host: an oscillator that nobody can touch.
 *
 * Problem: hosts on one machine share one oscillator, so each needs an error of its own that anybody
 * can compute again from the seed alone, after any restart.
 *
 * Approach: with x = K - K0, the kernel's raw time since the laboratory began,
 *
 *   R(K) = R0 + x (1 + f0) + W(x),   W(x) = sum over i of a_i P_i / 2 pi (cos b_i - cos(2 pi x / P_i + b_i))
 *
 * W is the integral of the frequency wander, a sum of sines with periods P_i of 4 s to 4096 s, one
 * per octave, and amplitudes a_i = 0.3 ppb sqrt(P_i / s). That approximates a random walk of
 * frequency of about 1 ppb per sqrt(s): its spectrum falls with the square of the frequency, so the
 * power in an octave grows with the period. The closed form needs no state (random-walk FM: Riley,
 * "Handbook of Frequency Stability Analysis", NIST SP 1065, section 3.3).
 *
 * Assumptions: |x| < 2^53 ns (104 days). Cannot show: frequency jumps, and faster noise than 4 s.
 */
import { diffNs, hashText, mix32, Prng } from "@ttcs/units";

/** Frequency errors of cheap quartz lie within this (ppm is 1000 ppb). */
const FREQUENCY_SPREAD_PPB = 20_000;
/** Raw clocks start anywhere from 0 to 11.6 days (ns). */
const START_SPREAD_NS = 1e15;
const PERIOD_COUNT = 11;
const SHORTEST_PERIOD_NS = 4e9;
/** Amplitude of a wander sine of 1 s period (ppb); see above. */
const WANDER_PPB_PER_SQRT_S = 0.3;
/** Rounds of the inverse's iteration: each shrinks the error by the wander's 10^-7. */
const INVERSE_ROUNDS = 4;
const TWO_PI = 2 * Math.PI;

/** The numbers of one purpose of one laboratory host. */
export function hostStream(seed: number, index: number, purpose: string): Prng {
  return new Prng(mix32(mix32(seed, hashText(purpose)), index));
}

/** A virtual raw clock as a function of the kernel's. */
export class Oscillator {
  /** The kernel's raw clock (K0) and this one (R0) when the laboratory began (ns). */
  readonly startKernelRawNs: bigint;
  readonly startRawNs: bigint;
  /** Frequency error without the wander (ppb, positive: runs fast). */
  readonly freqPpb: number;
  readonly #rate: number;
  /** Integrated amplitude (ns), phase (in turns) and frequency (turns per ns) of each sine. */
  readonly #swingNs = new Float64Array(PERIOD_COUNT);
  readonly #phase = new Float64Array(PERIOD_COUNT);
  readonly #turnsPerNs = new Float64Array(PERIOD_COUNT);
  #restNs = 0;

  constructor(seed: number, index: number, startKernelRawNs: bigint) {
    const stream = hostStream(seed, index, "oscillator");
    this.startKernelRawNs = startKernelRawNs;
    this.startRawNs = BigInt(Math.floor(stream.uniform() * START_SPREAD_NS));
    this.freqPpb = stream.between(-FREQUENCY_SPREAD_PPB, FREQUENCY_SPREAD_PPB);
    this.#rate = this.freqPpb * 1e-9;
    for (let i = 0; i < PERIOD_COUNT; i++) {
      const periodNs = SHORTEST_PERIOD_NS * 2 ** i;
      const amplitude = WANDER_PPB_PER_SQRT_S * Math.sqrt(periodNs * 1e-9) * 1e-9;
      this.#swingNs[i] = (amplitude * periodNs) / TWO_PI;
      this.#turnsPerNs[i] = 1 / periodNs;
      this.#phase[i] = stream.uniform();
      this.#restNs += this.#swingNs[i] * Math.cos(TWO_PI * this.#phase[i]);
    }
  }

  /** Raw ns since R0 at `kernelNs` since K0. Strictly increasing. */
  rawSince(kernelNs: number): number {
    return kernelNs + (kernelNs * this.#rate + this.#wanderNs(kernelNs));
  }

  /**
   * Kernel ns since K0 at `rawNs` since R0: the inverse of `rawSince` to the resolution of a double
   * (0.02 ns after a day, 0.5 ns after a month).
   */
  kernelSince(rawNs: number): number {
    let kernelNs = rawNs / (1 + this.#rate);
    for (let i = 0; i < INVERSE_ROUNDS; i++) {
      kernelNs = (rawNs - this.#wanderNs(kernelNs)) / (1 + this.#rate);
    }
    return kernelNs;
  }

  /** The raw clock (ns, rounded down) at a reading of the kernel's. */
  rawAt(kernelRawNs: bigint): bigint {
    const since = this.rawSince(diffNs(kernelRawNs, this.startKernelRawNs));
    return this.startRawNs + BigInt(Math.floor(since));
  }

  /** The kernel's raw clock (ns, to the nearest) at a reading of this one. */
  kernelAt(rawNs: bigint): bigint {
    const since = this.kernelSince(diffNs(rawNs, this.startRawNs));
    return this.startKernelRawNs + BigInt(Math.round(since));
  }

  #wanderNs(kernelNs: number): number {
    let sumNs = this.#restNs;
    for (let i = 0; i < PERIOD_COUNT; i++) {
      const turns = kernelNs * this.#turnsPerNs[i] + this.#phase[i];
      sumNs -= this.#swingNs[i] * Math.cos(TWO_PI * (turns - Math.floor(turns)));
    }
    return sumNs;
  }
}
