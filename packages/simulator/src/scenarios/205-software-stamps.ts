import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario205 = scenario({
  number: 205,
  name: "software-stamps",
  summary: "Stamps of software: late by exp 1 us at each end",
  world: { stamps: { sigmaNs: 0, lateNs: 1_000 }, link: { hops: fourHops(0.2) } },
  limits: { p50Ns: 150, p99Ns: 500, lockedS: 20, lockedShare: 0.95 },
});
