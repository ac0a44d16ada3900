import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StampColumnSchema } from "./gen/clocksync/peer_pb.js";
import { packStamps, unpackStamps } from "./stamps.ts";

const seed = 6171;

describe("stamp columns in general", () => {
  it("return every whole nanosecond over the wire", () => {
    const entries = fc.tuple(
      fc.integer({ min: 0, max: 2 ** 53 - 1 - 300 * (2 ** 32 - 1) }),
      fc.array(
        fc.tuple(
          fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
          fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        ),
        { maxLength: 300 },
      ),
    );
    fc.assert(
      fc.property(entries, ([first, list]) => {
        let number = first;
        const probe = Float64Array.from(list, ([step]) => (number += step));
        const stampNs = Float64Array.from(list, ([, ns]) => ns);
        const sent = toBinary(StampColumnSchema, packStamps(probe, stampNs, list.length));
        const outProbe = new Float64Array(list.length);
        const outNs = new Float64Array(list.length);
        const count = unpackStamps(fromBinary(StampColumnSchema, sent), outProbe, outNs);
        expect(count).toBe(list.length);
        expect(outProbe).toEqual(probe);
        expect(outNs).toEqual(stampNs);
      }),
      { seed },
    );
  });

  it("never throw, and ascend when they are accepted", () => {
    const anyColumn = fc.record({
      firstProbe: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      probeStep: fc.array(fc.nat(3), { maxLength: 5 }),
      stampNs: fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(anyColumn, (fields) => {
        const outProbe = new Float64Array(4);
        const column = { $typeName: "clocksync.StampColumn" as const, ...fields };
        const count = unpackStamps(column, outProbe, new Float64Array(4));
        expect(count === -1 || count === fields.stampNs.length).toBe(true);
        for (let i = 1; i < count; i++) expect(outProbe[i]).toBeGreaterThan(outProbe[i - 1]);
      }),
      { seed, numRuns: 2000 },
    );
  });
});
