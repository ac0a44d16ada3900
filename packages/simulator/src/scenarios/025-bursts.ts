import { scenario } from "../sim/scenario.ts";

export const scenario025 = scenario({
  number: 25,
  name: "bursts",
  summary: "Bursts of five times the line's rate on each way, 0.2 ms long, busy 50 %",
  world: { link: { hops: [{ kind: "bursts", peak: 5, onNs: 200e3, offNs: 1_800e3 }] } },
  limits: { p50Ns: 80, p99Ns: 300, lockedS: 20, lockedShare: 0.95 },
});
