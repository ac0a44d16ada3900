import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario312 = scenario({
  number: 312,
  name: "budget-10",
  summary: "10 pairs a second on each directed edge",
  world: { pairsPerSecond: 10, link: { hops: fourHops(0.4) } },
  limits: { p50Ns: 100, p99Ns: 500, lockedS: 20 },
});
