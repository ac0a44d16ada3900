import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario405 = scenario({
  number: 405,
  name: "liar-fits",
  summary: "A host reports fits that run away by 1 us a second",
  world: {
    hosts: 20,
    link: { hops: fourHops(0.2) },
    lies: [{ host: 3, stamps: false, atS: 40, shiftNs: 0, growthNsPerS: 1_000 }],
  },
  limits: { p90Ns: 300, lockedS: 15 },
});
