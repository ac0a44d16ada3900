import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario101 = scenario({
  number: 101,
  name: "temperature",
  summary: "Crystals swing by 0.05 ppm/s: 0.3 ppm in 38 s",
  world: {
    crystal: { swingPpb: 300, swingPeriodSMin: 38, swingPeriodSMax: 38 },
    link: { hops: fourHops(0.2) },
  },
  limits: { p50Ns: 150, p99Ns: 500, lockedS: 20, lockedShare: 0.95 },
});
