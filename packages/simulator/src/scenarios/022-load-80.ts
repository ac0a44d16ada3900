import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario022 = scenario({
  number: 22,
  name: "load-80",
  summary: "Four queues with memory on each way, each busy 80 %",
  world: { link: { hops: fourHops(0.8) } },
  limits: { p50Ns: 200, p99Ns: 900, lockedS: 20, lockedShare: 0.95 },
});
