import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario423 = scenario({
  number: 423,
  name: "half-cut-long",
  summary: "The mesh falls into halves for ten minutes, then it heals",
  seconds: 720,
  settleS: 40,
  world: {
    standby: true,
    link: { hops: fourHops(0.2) },
    changes: [
      {
        kind: "cut",
        atS: 60,
        forS: 600,
        from: [0, 1, 2, 3, 4],
        to: [5, 6, 7, 8, 9],
        bothWays: true,
      },
    ],
  },
  // Clocks that hold over for ten minutes are off by what their crystals wander.
  limits: { p99Ns: 2e6, lockedS: 15, lockedShare: 0.5 },
});
