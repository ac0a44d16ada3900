import { create } from "@bufbuild/protobuf";
import { HelloSchema, ReportSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { AnchorSet } from "./anchors.ts";
import { Holding } from "./holding.ts";
import { newHost } from "./host.ts";
import { Reach } from "./reach.ts";
import type { RoundResult } from "./solve.ts";

const hosts = new Map(
  [1, 2, 3, 4, 5].map((i) => {
    const host = newHost(i, create(HelloSchema, { hostId: `h${i}` }), i);
    host.report = create(ReportSchema, { line: {} });
    return [i, host];
  }),
);
const round = (trusted: readonly number[], refused: readonly number[]) =>
  ({
    trusted: new Set(trusted),
    reasons: new Map(refused.map((n) => [n, "it does not fit"])),
  }) as unknown as RoundResult;

const holding = () => {
  const anchors = new AnchorSet();
  anchors.fromMemory(["h1", "h2", "h3", "h4", "h5"]);
  return new Holding(anchors);
};

test("a host is reached also by a round that does not trust it", () => {
  const reached = holding().reached(round([1, 2], [3]), [...hosts.values()], 0);
  expect(reached.map((h) => h.number)).toEqual([1, 2, 3]);
});

test("a missed round is no reason to hold; a second without any is, for who holds a line", () => {
  const subject = holding();
  subject.reached(round([4], []), [...hosts.values()], 0);
  expect(subject.mustHold(hosts.get(4)!, 1_000)).toBe(false);
  expect(subject.mustHold(hosts.get(4)!, 1_500)).toBe(true);
  const fresh = newHost(9, create(HelloSchema, { hostId: "h9" }), 9);
  expect(subject.mustHold(fresh, 0)).toBe(false);
  expect(subject.mustHold(fresh, 5_000)).toBe(false);
});

test("who is out of reach is told how many anchors are on its side", () => {
  const reach = new Reach([
    { owner: 1, other: 2 },
    { owner: 2, other: 3 },
    { owner: 4, other: 5 },
  ]);
  expect(holding().reasonFor(hosts.get(4)!, reach, hosts)).toBe(
    "2 of 5 anchors in view: a side without a majority holds over",
  );
  expect(holding().reasonFor(hosts.get(4)!, new Reach([]), hosts)).toBe(
    "no neighbour's probes reach this host",
  );
});

test("what all hold over for is said once, and its end once", () => {
  const subject = holding();
  expect(["", "a", "a", "", ""].map((reason) => subject.news(reason))).toEqual([
    undefined,
    "a",
    undefined,
    "a majority of the anchors is in view again",
    undefined,
  ]);
});
