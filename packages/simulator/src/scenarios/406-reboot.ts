import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario406 = scenario({
  number: 406,
  name: "reboot",
  summary: "A machine is off for 15 s and boots with its clock 1 s behind",
  world: {
    link: { hops: fourHops(0.2) },
    changes: [{ kind: "reboot", atS: 40, forS: 15, host: 3, errorNs: -1e9 }],
  },
  limits: { p99Ns: 500, lockedS: 15, lockedShare: 0.9, steps: 2 },
});
