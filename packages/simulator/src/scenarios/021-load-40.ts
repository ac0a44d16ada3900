import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario021 = scenario({
  number: 21,
  name: "load-40",
  summary: "Four queues with memory on each way, each busy 40 %",
  world: { link: { hops: fourHops(0.4) } },
  limits: { p50Ns: 60, p99Ns: 250, lockedS: 15, lockedShare: 0.99 },
});
