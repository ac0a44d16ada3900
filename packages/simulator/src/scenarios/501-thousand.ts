import { scenario } from "../sim/scenario.ts";

export const scenario501 = scenario({
  number: 501,
  name: "thousand",
  summary: "1000 hosts in a quiet network",
  seconds: 25,
  settleS: 15,
  world: { hosts: 1_000, link: { law: "S1" } },
  limits: { p50Ns: 100, p99Ns: 500, lockedS: 20 },
});
