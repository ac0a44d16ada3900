import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario404 = scenario({
  number: 404,
  name: "liar-stamps",
  summary: "A host shifts its transmit stamps to three others by 5 us",
  world: {
    hosts: 20,
    link: { hops: fourHops(0.2) },
    lies: [{ host: 3, stamps: true, atS: 40, shiftNs: 5_000, growthNsPerS: 0, to: [5, 6, 7] }],
  },
  limits: { p99Ns: 500, lockedS: 15, lockedShare: 0.9 },
});
