import { scenario } from "../sim/scenario.ts";
import { wanPaths } from "../sim/wan.ts";

export const scenario442 = scenario({
  number: 442,
  name: "regions-congested",
  summary: "Three regions, 30 ms apart, bursts of 3 ms, a third of the time, on the way",
  seconds: 120,
  settleS: 60,
  world: { hosts: 18, regions: 3, wan: wanPaths.congested },
  limits: { insideP99Ns: 80, acrossP50Ns: 100, acrossP99Ns: 300, lockedS: 30 },
});
