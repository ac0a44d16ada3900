import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario314 = scenario({
  number: 314,
  name: "budget-500",
  summary: "500 pairs a second on each directed edge",
  seconds: 60,
  world: { pairsPerSecond: 500, link: { hops: fourHops(0.4) } },
  limits: { p50Ns: 60, p99Ns: 250, lockedS: 15, lockedShare: 0.99 },
});
