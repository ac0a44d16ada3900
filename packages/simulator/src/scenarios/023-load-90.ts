import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario023 = scenario({
  number: 23,
  name: "load-90",
  summary: "Four queues with memory on each way, each busy 90 %",
  world: { link: { hops: fourHops(0.9) } },
  limits: { p50Ns: 350, p99Ns: 2_000, lockedS: 30, lockedShare: 0.9 },
});
