import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { AnchorSet } from "./anchors.ts";
import { type Host, newHost } from "./host.ts";

/** Hosts h1, h2, ... that are solved for and LOCKED since 0; h1 has clock_quality 10. */
function domain(count: number, quality: (i: number) => number = (i) => (i === 1 ? 10 : 1)) {
  const hosts = new Map<number, Host>();
  for (let i = 1; i <= count; i++) join(hosts, i, quality(i));
  return hosts;
}

function join(hosts: Map<number, Host>, i: number, clockQuality = 1, lockedSinceMs = 0): Host {
  const host = newHost(i, create(HelloSchema, { hostId: `h${i}`, clockQuality }), i);
  host.lockedSinceMs = lockedSinceMs;
  host.track = { fix: {} } as never;
  hosts.set(i, host);
  return host;
}

const some = (hosts: ReadonlyMap<number, Host>, ...numbers: number[]) =>
  numbers.map((n) => hosts.get(n)!);

/** Rounds twice a second that reach some hosts. */
function pass(
  set: AnchorSet,
  hosts: ReadonlyMap<number, Host>,
  reached: readonly Host[],
  fromMs: number,
  forMs: number,
): string[] {
  const said: string[] = [];
  for (let ms = fromMs; ms <= fromMs + forMs; ms += 500) {
    set.noteReached(reached, ms);
    said.push(...set.tend(hosts, reached[0], true, ms));
  }
  return said;
}

test("nobody is an anchor before the first lock, and everybody may be steered until then", () => {
  const set = new AnchorSet();
  const hosts = domain(3);
  set.noteReached(hosts.values(), 0);
  expect(set.tend(hosts, hosts.get(1)!, false, 0)).toEqual([]);
  expect(set.view(0).hasMajority).toBe(true);
});

test("reference, standbys by clock_quality, then the longest LOCKED; three hosts are enough", () => {
  const hosts = domain(8, (i) => (i === 7 ? 5 : i === 2 ? 10 : 1));
  hosts.get(3)!.lockedSinceMs = 900;
  const set = new AnchorSet();
  expect(set.tend(hosts, hosts.get(4)!, true, 1_000)).toEqual(["anchors are h4, h2, h7, h1, h5"]);
  const three = new AnchorSet();
  three.tend(domain(3), domain(3).get(1)!, true, 0);
  expect(three.toMemory()).toHaveLength(3);
});

test("the set grows with the domain: four edges of 64 for each host", () => {
  const hosts = domain(200);
  const set = new AnchorSet();
  set.tend(hosts, hosts.get(1)!, true, 1_000);
  expect(set.toMemory()).toHaveLength(13);
});

test("two of five in view are no majority, three are; a missed round does not count", () => {
  const hosts = domain(10);
  const set = new AnchorSet();
  pass(set, hosts, some(hosts, 1, 2, 3, 4, 5, 6), 1_000, 0);
  pass(set, hosts, some(hosts, 1, 2), 1_500, 500);
  expect(set.view(2_000)).toMatchObject({ present: 5, hasMajority: true });
  expect(set.view(2_600)).toEqual({ present: 2, size: 5, hasMajority: false });
  pass(set, hosts, some(hosts, 1, 2, 5), 3_000, 0);
  expect(set.view(3_000)).toEqual({ present: 3, size: 5, hasMajority: true });
});

test("a minority never changes the set, however long it is alone", () => {
  const hosts = domain(10);
  const set = new AnchorSet();
  pass(set, hosts, [...hosts.values()], 1_000, 0);
  const before = set.toMemory();
  expect(pass(set, hosts, some(hosts, 1, 2, 6, 7, 8, 9), 1_500, 3_600_000)).toEqual([]);
  expect(set.toMemory()).toEqual(before);
  expect(set.view(3_600_000).hasMajority).toBe(false);
});

test("with a majority there, who stays away for five minutes is replaced, one after the other", () => {
  const hosts = domain(10);
  const set = new AnchorSet();
  pass(set, hosts, [...hosts.values()], 1_000, 0);
  const side = some(hosts, 1, 2, 3, 6, 7, 8);
  // On the other side of the cut they are solved for no more.
  for (const host of some(hosts, 4, 5, 9, 10)) host.lockedSinceMs = Number.NaN;
  expect(pass(set, hosts, side, 1_500, 299_000)).toEqual([]);
  const said = pass(set, hosts, side, 301_000, 60_000);
  expect(said).toEqual([
    "h4 is no anchor any more",
    "h6 is an anchor",
    "h5 is no anchor any more",
    "h7 is an anchor",
  ]);
});

test("where nobody can replace them those who stay away are left out, down to three", () => {
  const hosts = domain(5);
  const set = new AnchorSet();
  pass(set, hosts, [...hosts.values()], 1_000, 0);
  for (const gone of [4, 5]) hosts.delete(gone);
  pass(set, hosts, some(hosts, 1, 2, 3), 1_500, 400_000);
  expect(set.toMemory()).toEqual(["h1", "h2", "h3"]);
  hosts.delete(3);
  pass(set, hosts, some(hosts, 1, 2), 402_000, 400_000);
  expect(set.toMemory()).toEqual(["h1", "h2", "h3"]);
});

test("a better host becomes an anchor after a minute of LOCKED; an equal one does not", () => {
  const hosts = domain(6);
  const set = new AnchorSet();
  const all = () => [...hosts.values()];
  pass(set, hosts, all(), 1_000, 0);
  join(hosts, 7, 5, 2_000);
  join(hosts, 8, 1, 2_000);
  expect(pass(set, hosts, all(), 2_000, 59_500)).toEqual([]);
  const said = pass(set, hosts, all(), 62_000, 300_000);
  expect(said).toEqual(["h5 is no anchor any more", "h7 is an anchor"]);
});

test("a coordinator that starts anew keeps the set: its members are looked for again", () => {
  const hosts = domain(10);
  const set = new AnchorSet();
  set.fromMemory(["h1", "h2", "h3", "h4", "h5"]);
  pass(set, hosts, some(hosts, 4, 5, 6, 7, 8), 1_000, 400_000);
  expect(set.view(401_000)).toEqual({ present: 2, size: 5, hasMajority: false });
  expect(set.toMemory()).toEqual(["h1", "h2", "h3", "h4", "h5"]);
});

test("dealing takes the reference first, then anchors, then the others", () => {
  const hosts = domain(7);
  const set = new AnchorSet();
  set.fromMemory(["h6", "h7"]);
  const ids = set.ranked(hosts.values(), hosts.get(5)).map((h) => h.id);
  expect(ids).toEqual(["h5", "h6", "h7", "h1", "h2", "h3", "h4"]);
});
