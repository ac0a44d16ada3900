/**
 * Long paths between regions, as public networks have them: 30 ms one way, the same both ways within
 * an edge, and queues with memory whose jitter is milliseconds.
 *
 * A probe passes the access line of either side (1 Gbit/s, half taken, packets mixed as on the
 * Internet) and three hops of the backbone with bursts at twice the line's rate. `steady`: bursts of
 * 1 ms in 6 ms, jitter (median above the least) of about 0.7 ms, a fifth of all probes meet no burst. `congested`:
 * bursts of 3 ms in 10 ms, jitter of about 7 ms, one probe in sixteen meets none.
 *
 * Every edge has queues of its own; that gateways share a path's queue is not modelled.
 */
import type { HopSpec } from "./hop.ts";
import type { LinkSpec } from "./link.ts";

const access: HopSpec = { kind: "poisson", load: 0.5, serviceNs: 4_776, service: "mixed" };

const path = (burst: HopSpec): Partial<LinkSpec> => ({
  baseNs: 30e6,
  baseSpread: 0.1,
  hops: [access, burst, burst, burst, access],
});

/** Long paths by name. */
export const wanPaths = {
  steady: path({ kind: "bursts", peak: 2, onNs: 1e6, offNs: 5e6 }),
  congested: path({ kind: "bursts", peak: 2, onNs: 3e6, offNs: 7e6 }),
} as const;
