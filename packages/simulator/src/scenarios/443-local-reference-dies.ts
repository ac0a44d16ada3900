import { scenario } from "../sim/scenario.ts";
import { wanPaths } from "../sim/wan.ts";

export const scenario443 = scenario({
  number: 443,
  name: "local-reference-dies",
  summary: "Three regions; the local reference of one is gone for a minute",
  seconds: 150,
  settleS: 30,
  world: {
    hosts: 18,
    regions: 3,
    wan: wanPaths.steady,
    standby: true,
    changes: [{ kind: "kill", atS: 60, forS: 60, host: 1 }],
  },
  limits: { insideP99Ns: 150, acrossP99Ns: 5_000, lockedS: 15, lockedShare: 0.9 },
});
