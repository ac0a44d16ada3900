import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario411 = scenario({
  number: 411,
  name: "foreign-slew",
  summary: "Another hand slews a clock by 100 ppm for 10 s",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "slew", atS: 40, forS: 10, host: 3, ppb: 100_000 }],
  },
  // Nobody can know of it before the next readings.
  limits: { p99Ns: 500, lockedS: 15, lockedShare: 0.95, outsideBound: 5, outsideUtc: 5 },
});
