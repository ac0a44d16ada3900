import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario402 = scenario({
  number: 402,
  name: "cut-one-way",
  summary: "Nothing passes from one half to the other for 20 s; the way back is open",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [
      {
        kind: "cut",
        atS: 40,
        forS: 20,
        from: [0, 1, 2, 3, 4],
        to: [5, 6, 7, 8, 9],
        bothWays: false,
      },
    ],
  },
  limits: { p99Ns: 1_500, lockedS: 15, lockedShare: 0.8 },
});
