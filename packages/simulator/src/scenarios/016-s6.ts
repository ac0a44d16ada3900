import { scenario } from "../sim/scenario.ts";

export const scenario016 = scenario({
  number: 16,
  name: "S6",
  summary: "Stated world S6: S2 with one way longer by 0 to 8 us on every link",
  world: { link: { baseSpread: 0, law: "S2", asymmetry: { share: 1, nsMin: 0, nsMax: 8_000 } } },
  limits: { p99Ns: 4_000, lockedS: 30 },
});
