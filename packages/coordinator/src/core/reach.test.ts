import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { AnchorSet } from "./anchors.ts";
import { type Host, newHost } from "./host.ts";
import { Reach } from "./reach.ts";

const hosts = new Map<number, Host>(
  [1, 2, 3, 4, 5, 6, 7].map((i) => [i, newHost(i, create(HelloSchema, { hostId: `h${i}` }), i)]),
);
const edge = (owner: number, other: number) => ({ owner, other });
const numbers = (side: readonly Host[] | undefined) => side?.map((h) => h.number);

const anchors = (...ids: string[]) => {
  const set = new AnchorSet();
  set.fromMemory(ids);
  return set;
};

test("a side is who is joined by fits, however long the way", () => {
  const reach = new Reach([edge(1, 2), edge(3, 2), edge(4, 5), edge(6, 5), edge(3, 1)]);
  expect(numbers(reach.sideOf(hosts.get(3)!, hosts.values()))).toEqual([1, 2, 3]);
  expect(numbers(reach.sideOf(hosts.get(4)!, hosts.values()))).toEqual([4, 5, 6]);
  expect(numbers(reach.sideOf(hosts.get(7)!, hosts.values()))).toEqual([7]);
});

test("the side with most of the anchors is found; where they are halved there is none", () => {
  const reach = new Reach([edge(1, 2), edge(3, 2), edge(4, 5), edge(6, 5)]);
  const side = reach.majoritySide(anchors("h1", "h2", "h4", "h5", "h6"), hosts);
  expect(numbers(side)).toEqual([4, 5, 6]);
  expect(reach.majoritySide(anchors("h1", "h2", "h4", "h5"), hosts)).toBeUndefined();
});

test("who has no stream counts for nobody", () => {
  const some = new Map(hosts);
  some.set(6, newHost(6, create(HelloSchema, { hostId: "h6" })));
  const reach = new Reach([edge(4, 5), edge(6, 5)]);
  expect(reach.majoritySide(anchors("h1", "h2", "h4", "h5", "h6"), some)).toBeUndefined();
});
