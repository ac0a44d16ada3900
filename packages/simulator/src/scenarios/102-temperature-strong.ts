import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario102 = scenario({
  number: 102,
  name: "temperature-strong",
  summary: "Crystals swing by 1 ppm in 30 to 60 s",
  world: {
    crystal: { swingPpb: 1_000, swingPeriodSMin: 30, swingPeriodSMax: 60 },
    link: { hops: fourHops(0.2) },
  },
  limits: { p50Ns: 600, p99Ns: 2_000, lockedS: 30 },
});
