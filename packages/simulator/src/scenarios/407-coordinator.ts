import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario407 = scenario({
  number: 407,
  name: "coordinator",
  summary: "The coordinator is gone for 20 s; one with an empty memory takes over",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "coordinator", atS: 40, forS: 20 }],
  },
  limits: { p99Ns: 3_000, lockedS: 15, lockedShare: 0.7 },
});
