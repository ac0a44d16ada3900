import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { newHost } from "./host.ts";
import { dealMesh } from "./mesh.ts";
import { groupByRegion } from "./region-members.ts";
import { dealRegions } from "./region-mesh.ts";

const host = (number: number, region: string, clockQuality = 1) =>
  newHost(number, create(HelloSchema, { hostId: `h${number}`, region, clockQuality }), number);

const numbers = (groups: ReturnType<typeof groupByRegion>) =>
  [...groups].map(([name, hosts]) => [name, hosts.map((h) => h.number)]);

test("hosts make regions by what they say, the region of the best host first", () => {
  const hosts = [1, 2, 3].map((n) => host(n, "west"));
  hosts.push(...[4, 5, 6].map((n) => host(n, "east", n === 5 ? 9 : 1)));
  expect(numbers(groupByRegion(hosts))).toEqual([
    ["east", [5, 4, 6]],
    ["west", [1, 2, 3]],
  ]);
});

test("a region too small to outvote a liar belongs to that of the best host", () => {
  const hosts = [host(1, "far"), host(2, "far"), ...[3, 4, 5].map((n) => host(n, "", 2))];
  expect(numbers(groupByRegion(hosts))).toEqual([["default", [3, 4, 5, 1, 2]]]);
  expect(numbers(groupByRegion([host(1, "a"), host(2, "b"), host(3, "c")]))).toEqual([
    ["a", [1, 2, 3]],
  ]);
});

test("one region is dealt as a domain without regions is", () => {
  const ranked = Array.from({ length: 40 }, (_, i) => i + 1);
  expect(dealRegions([ranked], 7, [])).toEqual(dealMesh(ranked, 7, []));
});

test("a region's own mesh is the same whatever other regions there are", () => {
  const west = Array.from({ length: 30 }, (_, i) => i + 1);
  const east = Array.from({ length: 5 }, (_, i) => i + 101);
  const before = dealRegions([west, east], 7, []);
  const inside = before.filter(({ a, b }) => a < 100 && b < 100);
  expect(inside).toEqual(dealMesh(west, 7, []));
  expect(dealRegions([west, east], 7, before)).toEqual(before);
});
