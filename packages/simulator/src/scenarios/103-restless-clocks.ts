import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario103 = scenario({
  number: 103,
  name: "restless-clocks",
  summary: "Frequencies walk by 10 to 30 ppb per square root of a second",
  world: { crystal: { wanderPpbMin: 10, wanderPpbMax: 30 }, link: { hops: fourHops(0.2) } },
  limits: { p50Ns: 150, p99Ns: 600, lockedS: 20, lockedShare: 0.9 },
});
