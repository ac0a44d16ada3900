import { scenario } from "../sim/scenario.ts";

export const scenario017 = scenario({
  number: 17,
  name: "S6-20",
  summary: "S6 with 20 hosts, each a neighbour of each",
  world: {
    hosts: 20,
    neighbours: 19,
    link: { baseSpread: 0, law: "S2", asymmetry: { share: 1, nsMin: 0, nsMax: 8_000 } },
  },
  limits: { p99Ns: 3_000, lockedS: 30 },
});
