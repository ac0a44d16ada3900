/**
 * Edges before the court: which take no part in a round, and what their hosts are told of them.
 *
 * Offsets alone are judged. An edge whose two directions differ is off by half the difference for
 * good, which robustness has to find out anew each round; the court remembers (`EdgeCourt`).
 */
import { allowedExclusions, type EdgeCourt, type NetworkSolution } from "@ttcs/estimator";
import type { Alignment } from "./alignment.ts";
import { pairKey } from "./mesh.ts";

/** One edge as the host at one of its ends is told of it. */
export interface EdgeView {
  /** The other end. */
  readonly hostNumber: number;
  /** The edge's offset, other minus this host, beyond what the mesh agrees on (ns). */
  readonly residualNs: number;
  readonly sigmaNs: number;
  /** What robustness left of its weight, 0 to 1. */
  readonly weight: number;
  /** Why it takes no part; empty: it does. */
  readonly expelled: string;
}

/** Which edges are left out of this round, as far as that tears nothing. */
export function expelledEdges(aligned: Alignment, court: EdgeCourt): Uint8Array {
  const wished = new Uint8Array(aligned.edgeCount);
  const severity = new Float64Array(aligned.edgeCount);
  for (let e = 0; e < aligned.edgeCount; e++) {
    const standing = court.standing(edgeKey(aligned, e));
    if (!standing?.expelled) continue;
    wished[e] = 1;
    severity[e] = standing.severity;
  }
  const { from, to, edgeCount } = aligned;
  return allowedExclusions(
    { hostCount: aligned.hosts.length, edgeCount, from, to },
    wished,
    severity,
  );
}

/** Tells the court how every edge has done. */
export function judgeEdges(aligned: Alignment, solved: NetworkSolution, court: EdgeCourt): void {
  for (let e = 0; e < aligned.edgeCount; e++) {
    // An edge changes hands: the residual is told in one direction, whoever owns it.
    const upward = aligned.hosts[aligned.from[e]] < aligned.hosts[aligned.to[e]];
    const residualNs = upward ? solved.residualNs[e] : -solved.residualNs[e];
    // An edge that takes no part is held against what the mesh knows, not better than that.
    const ownNs = solved.edgeSigmaNs[e] * solved.scale;
    const endsNs = Math.hypot(solved.sigmaNs[aligned.from[e]], solved.sigmaNs[aligned.to[e]]);
    const sigmaNs = Math.hypot(ownNs, solved.trust[e] === 0 ? endsNs : 0);
    court.judge(edgeKey(aligned, e), solved.trust[e], residualNs, sigmaNs);
  }
}

const edgeKey = ({ hosts, from, to }: Alignment, e: number): string =>
  pairKey(hosts[from[e]], hosts[to[e]]);

/** What each host is told of its edges, by host number. */
export function edgeViews(
  aligned: Alignment,
  solved: NetworkSolution,
  excluded: Uint8Array,
  court: EdgeCourt | undefined,
): Map<number, EdgeView[]> {
  const views = new Map<number, EdgeView[]>(aligned.hosts.map((h) => [h, []]));
  for (let e = 0; e < aligned.edgeCount; e++) {
    const owner = aligned.hosts[aligned.from[e]];
    const other = aligned.hosts[aligned.to[e]];
    const residualNs = solved.residualNs[e];
    const standing = excluded[e] === 1 ? court?.standing(edgeKey(aligned, e)) : undefined;
    const expelled = standing?.reason ?? "";
    const shared = { sigmaNs: solved.edgeSigmaNs[e], weight: solved.trust[e], expelled };
    views.get(owner)!.push({ ...shared, hostNumber: other, residualNs });
    views.get(other)!.push({ ...shared, hostNumber: owner, residualNs: -residualNs });
  }
  return views;
}
