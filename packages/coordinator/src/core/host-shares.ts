/**
 * What the edges of each host say of it together: residuals, and how much of them is new.
 *
 * Sums over the edges of a round, by host in the order of its rows. They see a host's own edges only,
 * not what the mesh behind them adds.
 */
import type { Alignment } from "./alignment.ts";

/** Share of each host's variance that is new in this round: that of its edges, by weight. */
export function freshShare(aligned: Alignment, trust: Float64Array): Float64Array {
  const fresh = new Float64Array(aligned.hosts.length);
  const all = new Float64Array(aligned.hosts.length);
  for (let e = 0; e < aligned.edgeCount; e++) {
    const variance = aligned.sigmaNs[e] ** 2;
    const weight = trust[e] / variance;
    const share = (weight * aligned.freshSigmaNs[e] ** 2) / variance;
    fresh[aligned.from[e]] += share;
    fresh[aligned.to[e]] += share;
    all[aligned.from[e]] += weight;
    all[aligned.to[e]] += weight;
  }
  return fresh.map((sum, i) => (all[i] > 0 ? Math.min(1, sum / all[i]) : 1));
}

/** Root mean square of the residuals of each host's edges (ns), and the number of these. */
export function residualRms(
  aligned: Alignment,
  residualNs: Float64Array,
): { rmsNs: Float64Array; count: Int32Array } {
  const rmsNs = new Float64Array(aligned.hosts.length);
  const count = new Int32Array(aligned.hosts.length);
  for (let e = 0; e < aligned.edgeCount; e++) {
    const square = residualNs[e] * residualNs[e];
    rmsNs[aligned.from[e]] += square;
    rmsNs[aligned.to[e]] += square;
    count[aligned.from[e]]++;
    count[aligned.to[e]]++;
  }
  for (let i = 0; i < rmsNs.length; i++) rmsNs[i] = count[i] ? Math.sqrt(rmsNs[i] / count[i]) : 0;
  return { rmsNs, count };
}
