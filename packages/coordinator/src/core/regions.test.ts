import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { type Host, newHost } from "./host.ts";
import { Regions } from "./regions.ts";

const hostOf = (number: number, region: string) =>
  newHost(number, create(HelloSchema, { hostId: `h${number}`, region }), number);

/** Regions to which hosts come one after the other. */
function comeInTurn(names: readonly string[]) {
  const hosts = new Map<number, Host>();
  const regions = new Regions(hosts, () => {});
  names.forEach((name, i) => {
    const host = hostOf(i + 1, name);
    hosts.set(host.number, host);
    regions.came(host, 0);
  });
  const regionOf = (number: number) => regions.of(hosts.get(number)!)?.name;
  return { hosts, regions, regionOf };
}

test("hosts of one region come one by one, and each belongs to it", () => {
  const { regions, regionOf } = comeInTurn(["", "", "default", ""]);
  expect(regions.count).toBe(1);
  expect([1, 2, 3, 4].map(regionOf)).toEqual(["default", "default", "default", "default"]);
});

test("the third host of another region makes it one", () => {
  const { regions, regionOf } = comeInTurn(["west", "west", "west", "east", "east"]);
  expect(regions.count).toBe(1);
  const whole = comeInTurn(["west", "west", "west", "east", "east", "east"]);
  expect(whole.regions.count).toBe(2);
  expect(regionOf(4)).toBe("west");
  expect([1, 4, 6].map(whole.regionOf)).toEqual(["west", "east", "east"]);
});

test("a host that comes back and names another region changes over", () => {
  const { hosts, regions, regionOf } = comeInTurn(["a", "a", "a", "a", "b", "b"]);
  const host = hosts.get(4)!;
  host.hello = { ...host.hello, region: "b" };
  regions.came(host, 0);
  expect([1, 4, 5, 6].map(regionOf)).toEqual(["a", "b", "b", "b"]);
});
