import { scenario } from "../sim/scenario.ts";

export const scenario011 = scenario({
  number: 11,
  name: "S1",
  summary: "Stated world S1: 24 us + exp 1 us, drawn anew for each packet",
  world: { link: { baseNs: 24_000, baseSpread: 0, law: "S1" } },
  limits: { p50Ns: 80, p99Ns: 250, lockedS: 15, lockedShare: 0.99 },
});
