import { scenario } from "../sim/scenario.ts";

export const scenario015 = scenario({
  number: 15,
  name: "S5",
  summary:
    "Stated world S5: two regions, 30 ms + exp 200 us, 100 us longer one way for half of 40 min",
  seconds: 2_700,
  settleS: 60,
  world: {
    pairsPerSecond: 10,
    batchNs: 100e6,
    triplesPerBatch: 2,
    regions: 2,
    link: { baseNs: 60_000, law: "S1" },
    wan: { baseNs: 30e6, baseSpread: 0, law: "S5" },
    stamps: { sigmaNs: 0, lateNs: 1_000 },
    changes: [
      {
        kind: "delay",
        atS: 1_200,
        forS: 1_200,
        from: { region: 0 },
        to: { region: 1 },
        addNs: 100_000,
      },
    ],
  },
  limits: { p99Ns: 120_000, lockedS: 60 },
});
