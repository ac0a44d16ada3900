import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import type { MeshFit } from "./fits.ts";
import { type Host, newHost } from "./host.ts";
import { CLEAN_ROUNDS, FOUNDING_ROUNDS, Newcomers } from "./newcomers.ts";
import { type RoundResult, solveRound } from "./solve.ts";
import { cleanFleet, SyntheticFleet } from "./synthetic-fleet.ts";

const resultOf = (trusted: readonly number[], out: readonly number[] = []) =>
  ({
    trusted: new Set(trusted),
    out: new Map(out.map((n) => [n, "contradicts"])),
  }) as unknown as RoundResult;

/** The mesh's first minute is over; everybody but these was in it. */
function known(hosts: ReadonlyMap<number, Host>, but: ReadonlySet<number>): Newcomers {
  const newcomers = new Newcomers();
  const old = new Map([...hosts].filter(([n]) => !but.has(n)));
  for (let round = 0; round < FOUNDING_ROUNDS; round++) {
    newcomers.note(resultOf([...old.keys()]), old);
  }
  return newcomers;
}

test("new hosts that lie, twice as many as the others, move nobody, and their own places are solved", () => {
  const seed = 3;
  const honest = 20;
  const liars = new Set(Array.from({ length: 40 }, (_, i) => honest + 1 + i));
  const fleet = new SyntheticFleet({ ...cleanFleet, seed, hosts: 60, fromRound: 1_000 });
  const lie = (fit: MeshFit): MeshFit =>
    liars.has(fit.owner) || liars.has(fit.other)
      ? { ...fit, offsetNs: fit.offsetNs + ((fit.owner + fit.other) % 2 === 0 ? 1e5 : -1e5) }
      : fit;
  const fits = fleet.nextFits().map(lie);
  const newcomers = known(fleet.hosts, liars);
  const counting = newcomers.counting(fits, fleet.hosts, fleet.reference);
  const without = fits.filter((f) => !liars.has(f.owner) && !liars.has(f.other));
  const placesBy = (some: readonly MeshFit[]) => {
    // Tracks are of the hosts: each solve has hosts of its own.
    const hosts = new Map(
      [...fleet.hosts].map(([n, h]) => [n, newHost(n, create(HelloSchema, { hostId: h.id }), n)]),
    );
    const result = solveRound(hosts.get(1)!, hosts, some)!;
    expect(result.noConsensus).toBe("");
    return [...hosts].map(([number, { track }]) => ({
      number,
      place: track && Number(track.hostZeroNs % 1_000_000_000n) + track.filter.predict(0).offsetNs,
    }));
  };
  const withThem = placesBy(counting);
  const alone = placesBy(without);
  for (const { number, place } of alone.slice(0, honest)) {
    expect([number, withThem[number - 1].place! - place!]).toEqual([number, expect.closeTo(0, 3)]);
  }
  const solved = withThem.filter(({ place }) => place !== undefined).length;
  console.log(`seed ${seed}: ${solved} of 60 placed`);
  expect(solved).toBeGreaterThan(50);
  // And what they say is not agreed to when it counts.
  const hosts = fleet.hosts;
  expect(solveRound(fleet.reference, hosts, fits)?.noConsensus).not.toBe("");
});

test("a host counts after three clean windows, and begins anew with a round that is not", () => {
  const hosts = new Map(
    [1, 2, 3, 4].map((n) => [n, newHost(n, create(HelloSchema, { hostId: `h${n}` }), n)]),
  );
  const newcomers = known(hosts, new Set([4]));
  const fitOf = (owner: number, other: number, boundNs: number) =>
    ({ owner, other, belowBoundNs: boundNs, aboveBoundNs: boundNs }) as MeshFit;
  const fits = [fitOf(1, 2, 9), fitOf(4, 1, 9), fitOf(2, 4, 5), fitOf(3, 4, 7), fitOf(2, 3, 9)];
  const edges = () =>
    newcomers
      .counting(fits, hosts, hosts.get(1)!)
      .map(({ owner, other }) => `${owner}-${other}`)
      .sort();
  const hanging = ["1-2", "2-3", "2-4"];
  for (let round = 1; round < CLEAN_ROUNDS; round++) newcomers.note(resultOf([1, 2, 3, 4]), hosts);
  expect(edges()).toEqual(hanging);
  newcomers.note(resultOf([1, 2, 3, 4], [4]), hosts);
  for (let round = 1; round < CLEAN_ROUNDS; round++) newcomers.note(resultOf([1, 2, 3, 4]), hosts);
  expect(edges()).toEqual(hanging);
  newcomers.note(resultOf([1, 2, 3, 4]), hosts);
  expect(edges()).toHaveLength(5);
  // Known once is known: what an old host does is judged otherwise.
  newcomers.note(resultOf([1, 2, 3]), hosts);
  expect(edges()).toHaveLength(5);
});

test("in a mesh's first minute all count, and whoever is seen in it is known", () => {
  const hosts = new Map(
    [1, 2, 3, 4].map((n) => [n, newHost(n, create(HelloSchema, { hostId: `h${n}` }), n)]),
  );
  const newcomers = new Newcomers();
  for (let round = 1; round < FOUNDING_ROUNDS; round++) newcomers.note(resultOf([1, 2, 3]), hosts);
  const fits = [
    { owner: 4, other: 1 },
    { owner: 4, other: 2 },
  ] as MeshFit[];
  expect(newcomers.counting(fits, hosts, hosts.get(1)!)).toBe(fits);
  newcomers.note(resultOf([1, 2, 3]), hosts);
  expect(newcomers.counting(fits, hosts, hosts.get(1)!)).toHaveLength(1);
  expect([1, 2, 3, 4].map((n) => newcomers.isKnown(hosts.get(n)!))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test("while fewer than three hosts are known, all count", () => {
  const hosts = new Map(
    [1, 2, 3].map((n) => [n, newHost(n, create(HelloSchema, { hostId: `h${n}` }), n)]),
  );
  const fits = [
    { owner: 1, other: 2 },
    { owner: 2, other: 3 },
    { owner: 3, other: 1 },
  ] as MeshFit[];
  expect(new Newcomers().counting(fits, hosts, hosts.get(1)!)).toBe(fits);
  expect(known(hosts, new Set([2, 3])).counting(fits, hosts, hosts.get(1)!)).toBe(fits);
});
