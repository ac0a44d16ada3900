import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario311 = scenario({
  number: 311,
  name: "budget-1",
  summary: "1 pair a second on each directed edge",
  world: { pairsPerSecond: 1, link: { hops: fourHops(0.4) } },
  // Windows of 16 s, and a crystal wanders meanwhile.
  limits: { p99Ns: 10_000, lockedS: 60, lockedShare: 0.5 },
});
