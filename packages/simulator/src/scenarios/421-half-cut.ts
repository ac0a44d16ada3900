import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario421 = scenario({
  number: 421,
  name: "half-cut",
  summary: "The mesh falls into halves for 60 s while all reach the coordinator; then it heals",
  seconds: 180,
  settleS: 40,
  world: {
    standby: true,
    link: { hops: fourHops(0.2) },
    changes: [
      {
        kind: "cut",
        atS: 60,
        forS: 60,
        from: [0, 1, 2, 3, 4],
        to: [5, 6, 7, 8, 9],
        bothWays: true,
      },
    ],
  },
  // A minute of holdover for half of the hosts.
  limits: { p99Ns: 40_000, lockedS: 15, lockedShare: 0.7 },
});
