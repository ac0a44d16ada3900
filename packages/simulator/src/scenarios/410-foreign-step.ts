import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario410 = scenario({
  number: 410,
  name: "foreign-step",
  summary: "Another hand steps a clock by 1 ms",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "step", atS: 40, host: 3, stepNs: 1e6 }],
  },
  // Nobody can know of it before the next readings.
  limits: { p99Ns: 500, lockedS: 15, lockedShare: 0.95, outsideBound: 5, outsideUtc: 5 },
});
