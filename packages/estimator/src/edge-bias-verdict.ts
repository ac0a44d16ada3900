/**
 * What a round's edges were with nothing taken off: for the court, and for what is said of them.
 *
 * Residuals with their biases are held against what is usual in this mesh, by Tukey's weights (A.
 * Beaton and J. Tukey, Technometrics 16(2), 1974) and the residuals' own median: among clean edges a
 * biased one stands out, and where all are biased none does.
 */
import { medianOf, SIGMA_PER_MAD } from "./quantile.ts";

/** An outlier in the mesh's own measure of what is usual (Tukey's c), and the least trust. */
const TUKEY_C = 4.685;
const TRUST_MIN = 1e-6;

/** What a round's edges were, with nothing taken off. */
export interface BiasVerdict {
  /** offset - (x_to - x_from), the bias included (ns). */
  readonly residualNs: Float64Array;
  /** Tukey's weight of it, 0 for an edge that took no part. */
  readonly trust: Float64Array;
  /** Typical size of residuals in units of their edges' sigmas, at least 1. */
  readonly scale: number;
}

/** Tukey's weights of whole residuals in units of what is usual in this mesh. */
export function biasVerdict(
  wholeNs: Float64Array,
  sigmaNs: Float64Array,
  used: Float64Array,
): BiasVerdict {
  const count = wholeNs.length;
  const sizes = new Float64Array(count);
  let known = 0;
  for (let e = 0; e < count; e++) {
    if (used[e] > 0) sizes[known++] = Math.abs(wholeNs[e]) / sigmaNs[e];
  }
  const scale = Math.max(1, SIGMA_PER_MAD * medianOf(sizes, known));
  const trust = new Float64Array(count);
  for (let e = 0; e < count; e++) {
    if (!(used[e] > 0)) continue;
    const share = Math.abs(wholeNs[e]) / (scale * sigmaNs[e] * TUKEY_C);
    trust[e] = share < 1 ? Math.max(TRUST_MIN, (1 - share * share) ** 2) : TRUST_MIN;
  }
  return { residualNs: wholeNs, trust, scale };
}
