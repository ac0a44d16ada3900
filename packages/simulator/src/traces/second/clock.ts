/**
 * Another clock: flicker of frequency from a few relaxing processes, and two swings.
 *
 * Sums of first-order processes whose time constants lie a decade apart have about a 1/f spectrum
 * over those decades (J. Barnes and S. Jarvis, NBS Technical Note 604, 1971): an oscillator's flicker
 * floor rather than the random walk of `crystal.ts`. The phase is a table over the whole recording,
 * laid by Simpson's rule and read by parabolas.
 */
import { assert, type Prng } from "@ttcs/units";

/** Distance of the table's rows (s), and frequencies in between. */
const STEP_S = 0.005;
/** Time constants of the relaxing processes (s) and the deviation of each (ppb). */
const TIMES_S = [0.3, 3, 30, 300];
const FLICKER_PPB = 1.2;
const SKEW_PPB_MAX = 12_000;

/** A sine of the frequency: amplitude (ppb) and the range its period is drawn from (s). */
export type Sine = readonly [amplitudePpb: number, periodSMin: number, periodSMax: number];

/** A room that is heated and a fan that hunts. */
export const CALM: readonly Sine[] = [
  [300, 1_200, 2_400],
  [8, 40, 90],
];
/** Heat that comes and goes with the work. */
export const HEATED: readonly Sine[] = [
  [700, 35, 70],
  [150, 14, 20],
];

/** See the module head. Times are true ns since the start. */
export class FlickerClock {
  readonly #phaseNs: Float64Array;
  readonly #freqPpb: Float64Array;

  constructor(random: Prng, seconds: number, sines: readonly Sine[]) {
    const rows = Math.ceil(seconds / STEP_S) + 2;
    this.#phaseNs = new Float64Array(rows);
    this.#freqPpb = new Float64Array(rows);
    const skewPpb = random.between(-SKEW_PPB_MAX, SKEW_PPB_MAX);
    const swings = sines.map(([amplitudePpb, low, high]) => ({
      amplitudePpb,
      rate: (2 * Math.PI) / random.between(low, high),
      phase: random.between(0, 2 * Math.PI),
    }));
    const flicker = TIMES_S.map(() => FLICKER_PPB * random.normal());
    const next = (atS: number): number => {
      let sum = skewPpb;
      TIMES_S.forEach((timeS, i) => {
        const kept = Math.exp(-STEP_S / 2 / timeS);
        flicker[i] = kept * flicker[i] + FLICKER_PPB * Math.sqrt(1 - kept * kept) * random.normal();
        sum += flicker[i];
      });
      for (const { amplitudePpb, rate, phase } of swings) {
        sum += amplitudePpb * Math.sin(rate * atS + phase);
      }
      return sum;
    };
    this.#freqPpb[0] = next(0);
    for (let i = 1; i < rows; i++) {
      const between = next((i - 0.5) * STEP_S);
      this.#freqPpb[i] = next(i * STEP_S);
      const sum = this.#freqPpb[i - 1] + 4 * between + this.#freqPpb[i];
      this.#phaseNs[i] = this.#phaseNs[i - 1] + (sum / 6) * STEP_S;
    }
  }

  /** What the clock shows since its zero at true time `trueNs` (ns). */
  at(trueNs: number): number {
    const place = (trueNs * 1e-9) / STEP_S;
    const i = Math.floor(place);
    assert(i >= 0 && i + 1 < this.#phaseNs.length, "an instant of the recording");
    const share = place - i;
    const risePpb = this.#freqPpb[i + 1] - this.#freqPpb[i];
    // The parabola through both phases with the frequencies' rise as its bend.
    const bentNs = (risePpb * STEP_S * share * (share - 1)) / 2;
    return trueNs + this.#phaseNs[i] + share * (this.#phaseNs[i + 1] - this.#phaseNs[i]) + bentNs;
  }
}
