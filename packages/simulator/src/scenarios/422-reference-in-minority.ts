import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario422 = scenario({
  number: 422,
  name: "reference-in-minority",
  summary: "The reference and two others are cut off from the rest of the mesh for 60 s",
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
        from: [0, 8, 9],
        to: [1, 2, 3, 4, 5, 6, 7],
        bothWays: true,
      },
    ],
  },
  limits: { p99Ns: 40_000, lockedS: 15, lockedShare: 0.75 },
});
