import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario302 = scenario({
  number: 302,
  name: "sparse-5",
  summary: "40 hosts with 5 neighbours each",
  world: { hosts: 40, neighbours: 5, link: { hops: fourHops(0.4) } },
  limits: { p50Ns: 80, p99Ns: 350, lockedS: 20, lockedShare: 0.95 },
});
