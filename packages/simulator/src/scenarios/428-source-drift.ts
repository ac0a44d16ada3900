import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario428 = scenario({
  number: 428,
  name: "source-drift",
  summary: "The reference's clock begins to drift by 5 ppm; two standbys have sources of their own",
  world: {
    sources: 3,
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "slew", atS: 40, forS: 1_000, host: 0, ppb: 5_000 }],
  },
  limits: { p99Ns: 300, maxNs: 1_100, lockedS: 15, lockedShare: 0.95 },
});
