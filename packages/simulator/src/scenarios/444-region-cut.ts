import { scenario } from "../sim/scenario.ts";
import { wanPaths } from "../sim/wan.ts";

export const scenario444 = scenario({
  number: 444,
  name: "region-cut",
  summary: "Three regions; no probe passes between one and the others for a minute",
  seconds: 180,
  settleS: 30,
  world: {
    hosts: 18,
    regions: 3,
    wan: wanPaths.steady,
    changes: [0, 1].map((region) => ({
      kind: "cut" as const,
      atS: 60,
      forS: 60,
      from: { region: 2 },
      to: { region },
      bothWays: true,
    })),
  },
  limits: { insideP99Ns: 80, acrossP50Ns: 1_000, lockedS: 15, lockedShare: 0.99, steps: 1 },
});
