import { expect, test } from "vitest";
import { TERM_BELIEVED_MAX } from "./lease.ts";
import { LeaseWorld } from "./lease-world.ts";

const quick = () => ({ thereMs: 5, backMs: 5, isLost: false });

const names = (world: LeaseWorld) => world.speaking.map((s) => `${s.name}/${s.core.term}`);

/** A world in which the first server has led for a while. */
function settled(count = 2): LeaseWorld {
  const world = new LeaseWorld(count, quick);
  world.run(5_000);
  expect(names(world)).toEqual(["s0/1"]);
  return world;
}

test("the leader is killed: the other leads in a later term, after the lease's life", () => {
  const world = settled();
  world.servers[0].isDead = true;
  world.run(2_500, () => expect(names(world)).toEqual([]));
  world.run(2_000);
  expect(names(world)).toEqual(["s1/2"]);
});

test("the leader gives the lease back: the other leads at once", () => {
  const world = settled();
  world.end(world.servers[0]);
  world.servers[1].core.rank(0);
  world.run(300);
  expect(names(world)).toEqual(["s1/2"]);
});

test("a leader that was stopped for half a minute says nothing when it goes on", () => {
  const world = settled();
  world.servers[0].pausedUntilMs = world.nowMs + 30_000;
  world.run(40_000, () => expect(world.speaking.every((s) => s.name === "s1")).toBe(true));
  expect(names(world)).toEqual(["s1/2"]);
  expect(world.servers[0].leads).toBe(undefined);
});

test("a lone server that was stopped goes on in its term once it has renewed", () => {
  const world = settled(1);
  world.servers[0].pausedUntilMs = world.nowMs + 30_000;
  world.run(30_000 - 50, () => expect(names(world)).toEqual([]));
  world.run(1_000);
  expect(names(world)).toEqual(["s0/1"]);
});

test("the database is gone for a minute: the leader goes on, and goes on when it is back", () => {
  const world = settled();
  world.goneUntilMs = world.nowMs + 60_000;
  world.run(70_000, () => expect(names(world)).toEqual(["s0/1"]));
});

test("after an outage the leader has the first word, even if it is slower than the other", () => {
  const world: LeaseWorld = new LeaseWorld(2, ({ name }) =>
    name === "s0" && world.nowMs > 5_000 ? { ...quick(), thereMs: 700 } : quick(),
  );
  world.run(5_000);
  world.goneUntilMs = world.nowMs + 20_000;
  world.run(30_000, () => expect(names(world)).toEqual(["s0/1"]));
});

test("a later term that an agent shows ends the leading while the database is gone", () => {
  const world = settled();
  world.goneUntilMs = world.nowMs + 10_000;
  world.heard(world.servers[0], 5n);
  world.run(9_000, () => expect(names(world)).toEqual([]));
});

test("a later term that the store does not know is outranked within a moment", () => {
  const world = settled();
  world.heard(world.servers[0], 1_795_305_600n);
  expect(names(world)).toEqual([]);
  world.run(300);
  expect(names(world)).toEqual(["s0/1795305601"]);
});

test("an absurd term is not believed, and the latest that is believed leaves room above", () => {
  const world = settled();
  world.heard(world.servers[0], 2n ** 64n - 1n);
  expect(names(world)).toEqual(["s0/1"]);
  world.heard(world.servers[0], TERM_BELIEVED_MAX);
  world.run(300);
  world.servers[0].isDead = true;
  world.run(5_000);
  expect(names(world)).toEqual([`s1/${TERM_BELIEVED_MAX + 2n}`]);
});

test("an earlier run of the same server is not waited for", () => {
  const world = new LeaseWorld(1, quick);
  const row = { holder: "s0/earlier", addresses: [], term: 8n, renewals: 4n, released: false };
  world.row = row;
  world.run(3_000, () => expect(names(world)).toEqual([]));
  world.run(1_000);
  expect(names(world)).toEqual(["s0/9"]);
});
