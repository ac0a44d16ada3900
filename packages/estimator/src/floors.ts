/**
 * How far apart the floors of both directions' delays lie, from the same low quantile of both.
 *
 * Problem: which quantile tells the floor best depends on what delays look like: below a share of early
 * stamps none does, among probes that met no queue a higher one does, on a steep edge the lowest.
 * Approach: of several, the lowest whose uncertainty (Koenker and Bassett, Econometrica 46(1), 1978,
 * theorem 4.1) is near the best; kept until another is clearly better, because quantiles differ by
 * a little and a change of them would look like a move of the clocks.
 */
import type { DelayModel } from "./delay-model.ts";

const QUANTILES = [0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25];
/** Probes that should lie below a floor. */
const POINTS_MIN = 8;
const SLACK = 1.25;
const HYSTERESIS = 1.6;

const sigmas = new Float64Array(QUANTILES.length);
const shiftsNs = new Float64Array(QUANTILES.length);

/** See the module head. */
export class Floors {
  #chosen = -1;
  /** What was found last, and for which versions of the models. */
  #found = { shiftNs: 0, sigmaNs: 0 };
  #forwardVersion = -1;
  #reverseVersion = -1;

  clear(): void {
    this.#chosen = -1;
    this.#forwardVersion = -1;
  }

  /** Half of (forward floor - reverse floor), and its standard uncertainty (ns). */
  between(forward: DelayModel, reverse: DelayModel): { shiftNs: number; sigmaNs: number } {
    const { version } = forward;
    if (version === this.#forwardVersion && reverse.version === this.#reverseVersion) {
      return this.#found;
    }
    this.#forwardVersion = version;
    this.#reverseVersion = reverse.version;
    this.#found = this.#find(forward, reverse);
    return this.#found;
  }

  #find(forward: DelayModel, reverse: DelayModel): { shiftNs: number; sigmaNs: number } {
    const count = Math.min(forward.effectiveCount, reverse.effectiveCount);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < QUANTILES.length; i++) {
      const q = QUANTILES[i];
      sigmas[i] = Number.POSITIVE_INFINITY;
      if (q * count < POINTS_MIN) continue;
      const [there, back] = [forward.quantileNs(q), reverse.quantileNs(q)];
      const spread = Math.hypot(1 / forward.densityAt(there), 1 / reverse.densityAt(back));
      shiftsNs[i] = (there - back) / 2;
      sigmas[i] = (Math.sqrt((q * (1 - q)) / count) * spread) / 2;
      best = Math.min(best, sigmas[i]);
    }
    if (!Number.isFinite(best)) return { shiftNs: 0, sigmaNs: 0 };
    const stays = this.#chosen >= 0 && sigmas[this.#chosen] <= HYSTERESIS * best;
    if (!stays) this.#chosen = sigmas.findIndex((sigma) => sigma <= SLACK * best);
    return { shiftNs: shiftsNs[this.#chosen], sigmaNs: sigmas[this.#chosen] };
  }
}
