import { scenario } from "../sim/scenario.ts";
import { wanPaths } from "../sim/wan.ts";

export const scenario446 = scenario({
  number: 446,
  name: "regions-restart",
  summary: "Three regions; the coordinator is killed and back after 3 s with what it remembers",
  seconds: 140,
  settleS: 60,
  world: {
    hosts: 18,
    regions: 3,
    wan: wanPaths.steady,
    changes: [{ kind: "coordinator", atS: 80, forS: 3, remembers: true }],
  },
  // Hosts run free for 4 s: two crystals' wander.
  limits: { insideP99Ns: 300, acrossP50Ns: 1_000, acrossP99Ns: 5_000, lockedS: 15 },
});
