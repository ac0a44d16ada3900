import { scenario } from "../sim/scenario.ts";
import { fourHops } from "./parts.ts";

export const scenario203 = scenario({
  number: 203,
  name: "one-slot-sent",
  summary: "Cards stamp only the first of two packets sent within 20 us",
  world: { stamps: { slotNs: 20_000, slotOf: "sent" }, link: { hops: fourHops(0.2) } },
  limits: {},
});
