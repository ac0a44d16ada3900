import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario311 = scenario({
  number: 311,
  name: "budget-1",
  summary: "1 pair a second on each directed edge",
  world: { pairsPerSecond: 1, link: { hops: fourHops(0.4) } },
  // Two pairs in a window are too few for a fit: what counts is that no clock is touched.
  limits: { steps: 0 },
});
