import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario408 = scenario({
  number: 408,
  name: "reference-dies",
  summary: "The reference is gone for a minute; a standby leads",
  seconds: 180,
  world: {
    standby: true,
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "kill", atS: 60, forS: 60, host: 0 }],
  },
  limits: { p99Ns: 1_000, lockedS: 15, lockedShare: 0.85 },
});
