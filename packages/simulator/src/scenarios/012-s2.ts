import { scenario } from "../sim/scenario.ts";

export const scenario012 = scenario({
  number: 12,
  name: "S2",
  summary: "Stated world S2: 10 us + 4 hops, each busy 40 %",
  world: { link: { baseSpread: 0, law: "S2" } },
  limits: { p50Ns: 80, p99Ns: 300, lockedS: 15, lockedShare: 0.99 },
});
