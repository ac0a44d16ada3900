import { scenario } from "../sim/scenario.ts";
import { wanPaths } from "../sim/wan.ts";

export const scenario445 = scenario({
  number: 445,
  name: "leading-region-gone",
  summary:
    "Three regions; nobody hears the leading one for a minute, another carries domain time on",
  seconds: 180,
  settleS: 30,
  world: {
    hosts: 18,
    regions: 3,
    wan: wanPaths.steady,
    standby: true,
    changes: [
      { kind: "partition", atS: 60, forS: 60, hosts: { region: 0 } },
      { kind: "cut", atS: 60, forS: 60, from: { region: 0 }, to: { region: 1 }, bothWays: true },
      { kind: "cut", atS: 60, forS: 60, from: { region: 0 }, to: { region: 2 }, bothWays: true },
    ],
  },
  limits: { lockedS: 15, steps: 1 },
});
