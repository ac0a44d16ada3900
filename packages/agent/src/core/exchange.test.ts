import { create } from "@bufbuild/protobuf";
import { ExchangeFlushSchema, NeighbourSchema } from "@ttcs/protocol";
import { rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { Carrier } from "./carrier.ts";
import { Exchange } from "./exchange.ts";

test("stamps of a host whose number stands for another one by now are refused", () => {
  const exchange = new Exchange(new Carrier(true));
  const dealt = (hostId: string) => create(NeighbourSchema, { hostId, hostNumber: 4, owner: true });
  const flush = (fromHostId: string) =>
    create(ExchangeFlushSchema, {
      header: { round: 7n },
      fromHost: 4,
      fromHostId,
      baseRawNs: rawNanos(9_000_000_000n),
      sent: { firstProbe: 1n, probeStep: [], stampNs: [5] },
    });
  exchange.setNeighbours([dealt("b")], 10);
  expect(exchange.takeFlush(flush("b"))).toBeUndefined();
  // An agent that does not know the field says nothing.
  expect(exchange.takeFlush(flush(""))).toBeUndefined();
  exchange.setNeighbours([dealt("c")], 10);
  expect(exchange.takeFlush(flush("b"))).toBe("flush of b refused: its number stands for c");
  const [edge] = exchange.edges;
  expect(edge.peer.sent.length).toBe(0);
  exchange.takeFlush(flush("c"));
  expect(edge.peer.sent.length).toBe(1);
});
