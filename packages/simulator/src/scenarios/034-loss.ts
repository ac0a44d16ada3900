import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario034 = scenario({
  number: 34,
  name: "loss",
  summary: "One probe in twenty is lost",
  world: { link: { loss: 0.05, hops: fourHops(0.2) } },
  limits: { p50Ns: 60, p99Ns: 250, lockedS: 15, lockedShare: 0.99 },
});
