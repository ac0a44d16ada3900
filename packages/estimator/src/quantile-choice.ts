/**
 * Which quantile the two lines of a window follow.
 *
 * Problem: a low quantile passes below the queues, but where more stamps are early than lie below it,
 * it runs among those, some 100 ns under the floor and hardly held by anything: with 8 % early stamps
 * an edge had an error of 60 ns. Approach: the lowest quantile, unless a higher one tells the level
 * clearly better, by its asymptotic uncertainty sqrt(q (1 - q)) / f (Koenker and Bassett,
 * Econometrica 46(1), 1978, theorem 4.2; f is the density there). On a floor with a tail above it
 * quantiles differ by less than that, so the lowest stays.
 *
 * It cannot see: early stamps that lie as close together as those that met no queue.
 */
import { type Cloud, sparsity } from "./quantile-lines.ts";

/** Quantiles to try above the lowest. */
const HIGHER = [0.1, 0.15, 0.2, 0.25];
/** A higher quantile must be less uncertain than the best below by this factor. */
const CLEARLY = 2;

/**
 * The quantile to follow, `lowest` or one above it.
 *
 * @param alpha slope of both lines (ns per ns), about.
 * @param width half width of the quotient that tells a density, as a share of the quantile.
 */
export function surestQuantile(
  upper: Cloud,
  lower: Cloud,
  lowest: number,
  alpha: number,
  width: number,
): number {
  const sigmaAt = (q: number) =>
    Math.sqrt(q * (1 - q)) *
    Math.hypot(sparsity(upper, q, alpha, width * q), sparsity(lower, 1 - q, alpha, width * q));
  let best = lowest;
  let bestSigma = sigmaAt(lowest);
  for (const q of HIGHER) {
    if (q <= lowest) continue;
    const sigma = sigmaAt(q);
    if (CLEARLY * sigma > bestSigma) continue;
    best = q;
    bestSigma = sigma;
  }
  return best;
}
