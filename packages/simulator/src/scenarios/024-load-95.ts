import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario024 = scenario({
  number: 24,
  name: "load-95",
  summary: "Four queues with memory on each way, each busy 95 %",
  world: { link: { hops: fourHops(0.95) } },
  limits: { p50Ns: 800, p99Ns: 5_000, lockedS: 60 },
});
