import { scenario } from "../sim/scenario.ts";
import { wanPaths } from "../sim/wan.ts";

export const scenario441 = scenario({
  number: 441,
  name: "regions",
  summary: "Three regions, 30 ms apart, bursts of 1 ms on the way",
  seconds: 120,
  settleS: 60,
  world: { hosts: 18, regions: 3, wan: wanPaths.steady },
  limits: { insideP99Ns: 80, acrossP50Ns: 50, acrossP99Ns: 150, lockedS: 15 },
});
