import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario033 = scenario({
  number: 33,
  name: "route-change",
  summary: "A fifth of all directions get another route after a minute, 5 us longer",
  seconds: 150,
  world: {
    hosts: 20,
    link: { hops: fourHops(0.2), routeNs: 500 },
    changes: [{ kind: "reroute", atS: 60, share: 0.2, addNs: 5_000 }],
  },
  limits: { p99Ns: 2_500, lockedS: 20, lockedShare: 0.9 },
});
