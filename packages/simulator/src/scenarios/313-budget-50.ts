import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario313 = scenario({
  number: 313,
  name: "budget-50",
  summary: "50 pairs a second on each directed edge",
  world: { pairsPerSecond: 50, link: { hops: fourHops(0.4) } },
  limits: { p50Ns: 60, p99Ns: 250, lockedS: 15, lockedShare: 0.99 },
});
