/** What several scenarios have in common. */
import type { HopSpec } from "../sim/hop.ts";

/** Mean service time of a packet of 1500 bytes at 10 Gbit/s and its smaller brethren (ns). */
const SERVICE_NS = 480;

/** Four queues in a row, each busy for this share of the time (0 to below 1). */
export const fourHops = (load: number): HopSpec[] =>
  Array.from({ length: 4 }, () => ({
    kind: "poisson",
    load,
    serviceNs: SERVICE_NS,
    service: "mixed",
  }));
