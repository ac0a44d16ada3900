import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Roster } from "./roster.ts";

const names = ["a", "b", "c", "d"];

test("streams come and go, are taken over and come back: each host is found by its own alone", () => {
  const deed = fc.record({
    who: fc.constantFrom(...names),
    what: fc.constantFrom("joins", "leaves"),
    stream: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
      const roster = new Roster();
      let nowMs = 0;
      for (const { who, what, stream } of deeds) {
        nowMs += 10_000;
        const hello = create(HelloSchema, { hostId: who });
        if (what === "joins" && roster.whyNot(stream, hello, nowMs) === undefined) {
          roster.connect(roster.byId(who) ?? roster.admit(hello), stream);
        } else if (what === "leaves") {
          const host = roster.byConnection(stream);
          if (host) roster.disconnect(host, nowMs);
        }
        expect(roster.connectedCount).toBe(roster.connected.length);
        for (const host of roster.connected) {
          expect(roster.byConnection(host.connection!)).toBe(host);
        }
        for (const host of roster.forgetAbsent(undefined, nowMs)) {
          expect(host.connection).toBeUndefined();
        }
      }
    }),
    { seed: 5 },
  );
});
