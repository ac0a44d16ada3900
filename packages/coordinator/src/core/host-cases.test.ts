import { expect, test } from "vitest";
import { HostCases } from "./host-cases.ts";

const seen = () => true;
const lying = new Map([[7, "expelled: 7 of 10 edges contradict the mesh"]]);
const nobody = new Map<number, string>();

/** Contradicts the mesh for so many rounds. */
const lie = (cases: HostCases, rounds: number) => {
  for (let i = 0; i < rounds; i++) cases.judge(lying, seen);
};

/** Honest rounds until host 7 is back. */
const spell = (cases: HostCases) => {
  let rounds = 0;
  for (; cases.isExpelled(7) && rounds < 5_000; rounds++) cases.judge(nobody, seen);
  return rounds;
};

test("five rounds expel nobody, six of sixteen do, with the reason", () => {
  const cases = new HostCases();
  lie(cases, 3);
  cases.judge(nobody, seen);
  lie(cases, 2);
  expect(cases.isExpelled(7)).toBe(false);
  cases.judge(nobody, seen);
  lie(cases, 1);
  expect(cases.isExpelled(7)).toBe(true);
  expect(cases.takeChanges()).toEqual([
    { host: 7, expelled: true, reason: "expelled: 7 of 10 edges contradict the mesh" },
  ]);
  expect(cases.takeChanges()).toEqual([]);
});

test("who is honest for ten seconds returns; who lies again stays out twice as long each time", () => {
  const cases = new HostCases();
  const spells = Array.from({ length: 8 }, () => {
    lie(cases, 6);
    return spell(cases);
  });
  expect(spells).toEqual([20, 40, 80, 160, 320, 640, 1_200, 1_200]);
});

test("rounds in which a host is not seen do not count, and old cases are forgotten", () => {
  const cases = new HostCases();
  lie(cases, 6);
  for (let i = 0; i < 100; i++) cases.judge(nobody, () => false);
  expect(cases.isExpelled(7)).toBe(true);
  spell(cases);
  expect(cases.isEmpty).toBe(false);
  for (let i = 0; i < 1_200; i++) cases.judge(nobody, seen);
  expect(cases.isEmpty).toBe(true);
});
