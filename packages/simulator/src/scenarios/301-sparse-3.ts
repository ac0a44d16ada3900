import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario301 = scenario({
  number: 301,
  name: "sparse-3",
  summary: "40 hosts with 3 neighbours each",
  world: { hosts: 40, neighbours: 3, link: { hops: fourHops(0.4) } },
  limits: { p50Ns: 80, p99Ns: 350, lockedS: 20, lockedShare: 0.95 },
});
