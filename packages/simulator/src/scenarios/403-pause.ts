import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario403 = scenario({
  number: 403,
  name: "pause",
  summary: "One agent is not run for 3 s, another for 15 s",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [
      { kind: "pause", atS: 40, forS: 3, host: 3 },
      { kind: "pause", atS: 60, forS: 15, host: 4 },
    ],
  },
  limits: { p99Ns: 1_000, lockedS: 15, lockedShare: 0.9 },
});
