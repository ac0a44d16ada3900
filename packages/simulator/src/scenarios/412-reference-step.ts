import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario412 = scenario({
  number: 412,
  name: "reference-step",
  summary: "The reference's own daemon steps its clock by 0.5 ms",
  seconds: 180,
  world: {
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "step", atS: 40, host: 0, stepNs: 500e3 }],
  },
  // Nobody can know of it before the next readings.
  limits: { p99Ns: 500, lockedS: 15, lockedShare: 0.95, outsideBound: 5, outsideUtc: 5 },
});
