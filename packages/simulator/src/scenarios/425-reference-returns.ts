import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario425 = scenario({
  number: 425,
  name: "reference-returns",
  summary: "The reference is lost twice; it leads again after one minute of proof, then after two",
  seconds: 330,
  world: {
    sources: 3,
    link: { hops: fourHops(0.2) },
    changes: [
      { kind: "kill", atS: 40, forS: 10, host: 0 },
      { kind: "kill", atS: 150, forS: 10, host: 0 },
    ],
  },
  limits: { p99Ns: 300, maxNs: 1_100, lockedS: 15, lockedShare: 0.9 },
});
