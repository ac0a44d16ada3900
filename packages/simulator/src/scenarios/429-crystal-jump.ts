import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario429 = scenario({
  number: 429,
  name: "crystal-jump",
  summary: "The reference's crystal jumps by 5 ppm; a standby leads",
  world: {
    standby: true,
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "jump", atS: 40, host: 0, ppb: 5_000 }],
  },
  // For two seconds the truth is what the old reference was told: all others seem to run away from it.
  limits: { p50Ns: 100, p99Ns: 20_000, lockedS: 15, lockedShare: 0.9 },
});
