import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario409 = scenario({
  number: 409,
  name: "partition",
  summary: "Three hosts cannot reach the coordinator for 30 s",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "partition", atS: 40, forS: 30, hosts: [3, 4, 5] }],
  },
  limits: { p99Ns: 3_000, lockedS: 15, lockedShare: 0.8 },
});
