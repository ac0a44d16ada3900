import { expect, test } from "vitest";
import { IntervalBallot } from "./interval-vote.ts";

const vote = (...intervals: readonly [number, number, number, number?][]) => {
  const ballot = new IntervalBallot();
  for (const [low, at, high, weight] of intervals) ballot.add(low, at, high, weight);
  return ballot.vote();
};

test("the region in which most intervals overlap wins, whatever the others agree on", () => {
  const { valueNs, lowNs, highNs, agreeing } = vote(
    [-10, 0, 10],
    [-8, 3, 12],
    [-12, -1, 9],
    [95, 100, 105],
    [96, 101, 106],
  );
  expect([lowNs, highNs, agreeing]).toEqual([-8, 9, 3]);
  expect(valueNs).toBe(0);
});

test("a wide interval of a delayed path votes for the truth, and its guess does not count", () => {
  const { valueNs, agreeing } = vote([-10, 1, 10], [-9, -1, 11], [-5, 500, 1005], [-4, 480, 990]);
  expect(agreeing).toBe(4);
  expect(valueNs).toBe(0);
});

test("weights decide where as many agree", () => {
  expect(vote([90, 100, 110], [89, 99, 109], [-10, 0, 10, 1.5], [-9, 1, 11]).valueNs).toBe(0.5);
  expect(vote([90, 100, 110], [89, 99, 109], [-10, 0, 10], [-9, 1, 11]).agreeing).toBe(2);
});

test("what is no interval is not counted, and more than sixteen are", () => {
  expect(vote([1, 0, -1], [Number.NaN, 0, 1]).agreeing).toBe(0);
  const many = Array.from(
    { length: 40 },
    (_, i) => [i - 100, i, i + 100] as [number, number, number],
  );
  expect(vote(...many)).toMatchObject({ agreeing: 40, lowNs: -61, highNs: 100, valueNs: 19.5 });
});
