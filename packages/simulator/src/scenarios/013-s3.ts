import { scenario } from "../sim/scenario.ts";

export const scenario013 = scenario({
  number: 13,
  name: "S3",
  summary: "Stated world S3: 10 us + 4 hops, each busy 85 %, long tails",
  world: { link: { baseSpread: 0, law: "S3" } },
  limits: { p50Ns: 500, p99Ns: 2_500, lockedS: 20, lockedShare: 0.9 },
});
