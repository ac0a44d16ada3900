import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario401 = scenario({
  number: 401,
  name: "cut",
  summary: "Two hosts are cut off from all others for 20 s, then back",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "cut", atS: 40, forS: 20, from: [3, 4], to: "all", bothWays: true }],
  },
  limits: { p99Ns: 1_000, lockedS: 15, lockedShare: 0.9 },
});
