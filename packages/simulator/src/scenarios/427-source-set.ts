import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario427 = scenario({
  number: 427,
  name: "source-set",
  summary: "The reference's clock is set 1 s ahead, and nobody else has a source",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "step", atS: 40, host: 0, stepNs: 1e9 }],
  },
  // Nobody can know of it before the next readings.
  limits: {
    p99Ns: 300,
    maxNs: 1_100,
    lockedS: 15,
    lockedShare: 0.95,
    outsideBound: 5,
    outsideUtc: 5,
  },
});
