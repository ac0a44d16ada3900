/**
 * Until when arrivals count, for hosts whose clock is not tracked yet.
 *
 * Problem: a window needs a limit on the receiver's clock before anything is known of that clock,
 * and a probe that arrived after the round's close must not slip in. A probe that comes *from* the
 * host helps: it was sent before it arrived. If host y sent it at y's time `tx`, and it arrived at
 * x before x's own limit by `d`, then at the close y's clock shows at least tx + d, less what the
 * two clocks may differ in rate. The greatest of these is the limit: too early by about the delay
 * of the fastest probe, never too late. From the reference the limits spread over the mesh.
 */
import type { HostCourse } from "./course.ts";
import type { ProbeBuffer } from "./probe-buffer.ts";

/** No usable clock is off by more than 1000 ppm; two of them differ by twice that (ns per ns). */
const RATE_SPREAD = 2e-3;

/** One direction of an edge, by index of the hosts at its ends. */
export interface DirectedEdge {
  readonly from: number;
  readonly to: number;
  readonly probes: ProbeBuffer;
}

/** Opens the windows of hosts that have none, where probes have come from. */
export function reachUntracked(
  courses: readonly HostCourse[],
  edges: readonly DirectedEdge[],
): void {
  const waiting = new Set<number>();
  courses.forEach((course, i) => {
    if (Number.isNaN(course.limitNs)) waiting.add(i);
  });
  for (let found = 1; found > 0 && waiting.size > 0; ) {
    // Each sweep goes one step further from the reference; the nearest say most.
    const limits = new Map<number, number>();
    for (const { from, to, probes } of edges) {
      if (!waiting.has(from) || waiting.has(to)) continue;
      const limitNs = limitOfSender(probes, courses[to].limitNs);
      if (limitNs > (limits.get(from) ?? Number.NEGATIVE_INFINITY)) limits.set(from, limitNs);
    }
    found = limits.size;
    for (const [host, limitNs] of limits) {
      courses[host].openWindow(limitNs);
      waiting.delete(host);
    }
  }
}

/** What the sender's clock shows at least when the receiver's shows `limitNs`. */
function limitOfSender(probes: ProbeBuffer, limitNs: number): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < probes.length; i++) {
    const beforeNs = limitNs - probes.rxNs[i];
    if (beforeNs < 0) continue;
    best = Math.max(best, probes.txNs[i] + beforeNs * (1 - RATE_SPREAD));
  }
  return best;
}
