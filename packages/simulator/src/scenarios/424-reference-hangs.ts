import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario424 = scenario({
  number: 424,
  name: "reference-hangs",
  summary: "The reference's agent hangs for 20 s; later its network card is unplugged for 20 s",
  seconds: 180,
  world: {
    standby: true,
    link: { hops: fourHops(0.2) },
    changes: [
      { kind: "pause", atS: 50, forS: 20, host: 0 },
      { kind: "cut", atS: 100, forS: 20, from: [0], to: "all", bothWays: true },
    ],
  },
  limits: { p99Ns: 300, maxNs: 1_100, lockedS: 15, lockedShare: 0.9 },
});
