import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import type { Host } from "./host.ts";
import { chooseReference, rankHosts, referenceReason } from "./reference.ts";

const host = (id: string, clockQuality: number, joinOrder: number, change: Partial<Host> = {}) =>
  ({
    id,
    number: joinOrder + 1,
    joinOrder,
    hello: create(HelloSchema, { hostId: id, clockQuality }),
    connection: joinOrder + 1,
    disconnectedAtMs: Number.NaN,
    report: undefined,
    reportedAtMs: Number.NaN,
    lockedSinceMs: Number.NaN,
    track: undefined,
    ...change,
  }) as Host;

const tracked = { track: { fix: {} } } as Partial<Host>;

test("the highest clock_quality leads, however late it joins, until somebody is LOCKED", () => {
  const hosts = [host("a", 1, 0), host("b", 1, 1), host("z", 10, 2)];
  expect(chooseReference(hosts, hosts[0], { lockedOnce: false, awayMs: 0 })?.id).toBe("z");
  expect(referenceReason(hosts[2], hosts)).toBe("the highest clock_quality 10");
});

test("among equals the longest LOCKED leads, then the first to join, then the id; said aloud", () => {
  const late = host("a", 1, 2, { lockedSinceMs: 5 });
  const early = host("b", 1, 1, { lockedSinceMs: 3 });
  const never = host("c", 1, 0);
  expect(rankHosts([late, early, never]).map((h) => h.id)).toEqual(["b", "a", "c"]);
  const twins = [host("y", 1, 0), host("x", 1, 0)];
  expect(rankHosts(twins).map((h) => h.id)).toEqual(["x", "y"]);
  expect(referenceReason(early, [late, early])).toContain("nobody has more than 1");
});

test("once somebody is LOCKED, a better host that joins does not take over", () => {
  const hosts = [host("a", 1, 0, tracked), host("z", 10, 1, tracked)];
  expect(chooseReference(hosts, hosts[0], { lockedOnce: true, awayMs: 0 })?.id).toBe("a");
});

test("a reference that is away for a moment keeps the lead; one that stays away loses it", () => {
  const gone = host("r", 10, 0, { ...tracked, connection: undefined, disconnectedAtMs: 1_000 });
  const hosts = [gone, host("a", 1, 1, tracked), host("b", 1, 2)];
  expect(chooseReference(hosts, gone, { lockedOnce: true, awayMs: 2_000 })?.id).toBe("r");
  expect(chooseReference(hosts, gone, { lockedOnce: true, awayMs: 3_500 })?.id).toBe("a");
});

test("a reference that is connected but out of every neighbour's reach loses the lead too", () => {
  const hosts = [host("r", 10, 0, tracked), host("a", 1, 1, tracked)];
  expect(chooseReference(hosts, hosts[0], { lockedOnce: true, awayMs: 3_500 })?.id).toBe("a");
});

test("where nobody has been solved for, a reference without fits does not block the others", () => {
  const hosts = [host("r", 10, 0), host("a", 1, 1), host("b", 1, 2)];
  expect(chooseReference(hosts, hosts[0], { lockedOnce: true, awayMs: 3_500 })?.id).toBe("a");
});

test("a host that was never solved for cannot take over a domain that runs", () => {
  const gone = host("r", 10, 0, { connection: undefined, disconnectedAtMs: 0 });
  const hosts = [gone, host("fresh", 9, 1), host("known", 1, 2, tracked)];
  expect(chooseReference(hosts, gone, { lockedOnce: true, awayMs: 60_000 })?.id).toBe("known");
  // The caller may hand over what can be walked once only.
  const led = { ...gone, ...tracked };
  const once = [led, host("fresh", 9, 1)].values();
  expect(chooseReference(once, led, { lockedOnce: true, awayMs: 60_000 })?.id).toBe("r");
});
