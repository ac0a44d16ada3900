import { scenario } from "../sim/scenario.ts";

export const scenario014 = scenario({
  number: 14,
  name: "S4",
  summary: "Stated world S4: a cloud's virtual machines, stamps of software, 0.1 % loss",
  world: {
    link: { baseNs: 60_000, baseSpread: 0, law: "S4", loss: 0.001 },
    stamps: { sigmaNs: 0, lateNs: 1_000 },
  },
  limits: { p50Ns: 700, p99Ns: 2_500, lockedS: 30, lockedShare: 0.9 },
});
