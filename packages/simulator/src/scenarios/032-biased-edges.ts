import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario032 = scenario({
  number: 32,
  name: "biased-edges",
  summary: "15 % of the edges are off by 300 to 1500 ns: one way is longer by twice that",
  world: {
    hosts: 20,
    link: { hops: fourHops(0.2), asymmetry: { share: 0.15, nsMin: 600, nsMax: 3_000 } },
  },
  limits: { p50Ns: 80, p99Ns: 300, lockedS: 20, lockedShare: 0.95 },
});
