import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario204 = scenario({
  number: 204,
  name: "one-slot-both",
  summary: "Cards stamp only the first of two packets within 20 us, both ways",
  world: { stamps: { slotNs: 20_000, slotOf: "both" }, link: { hops: fourHops(0.2) } },
  limits: {},
});
