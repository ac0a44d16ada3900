import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario202 = scenario({
  number: 202,
  name: "early-8",
  summary: "8 % of the receive stamps are 50 to 500 ns early",
  world: {
    stamps: { sigmaNs: 6, early: { share: 0.08, nsMin: 50, nsMax: 500 } },
    link: { hops: fourHops(0.4) },
  },
  limits: { p50Ns: 80, p99Ns: 300, lockedS: 15, lockedShare: 0.95 },
});
