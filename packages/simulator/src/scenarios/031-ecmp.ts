import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario031 = scenario({
  number: 31,
  name: "ecmp",
  summary: "Each direction takes a route of its own, up to 2 us longer",
  world: { link: { routeNs: 2_000, hops: fourHops(0.2) } },
  limits: { p99Ns: 1_500, lockedS: 20 },
});
