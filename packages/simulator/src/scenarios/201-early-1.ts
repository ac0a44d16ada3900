import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario201 = scenario({
  number: 201,
  name: "early-1",
  summary: "1 % of the receive stamps are 50 to 500 ns early",
  world: {
    stamps: { sigmaNs: 6, early: { share: 0.01, nsMin: 50, nsMax: 500 } },
    link: { hops: fourHops(0.4) },
  },
  limits: { p50Ns: 60, p99Ns: 250, lockedS: 15, lockedShare: 0.99 },
});
