import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario001 = scenario({
  number: 1,
  name: "quiet-lan",
  summary: "A quiet network, stamps of network cards",
  world: { link: { hops: fourHops(0.02) } },
  limits: { p50Ns: 60, p99Ns: 200, maxNs: 500, lockedS: 15, lockedShare: 0.99, stateChanges: 0 },
});
