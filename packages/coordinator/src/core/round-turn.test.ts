import { expect, test } from "vitest";
import { RoundTurn } from "./round-turn.ts";

test("stragglers of a solved round do not begin the next one, however many they are", () => {
  const turn = new RoundTurn();
  turn.solved([1]);
  for (const host of [2, 3, 4, 5]) expect(turn.takeEarly(host, 5)).toBeUndefined();
});

test("when more than half report again, the next round has begun, with their reports in it", () => {
  const turn = new RoundTurn();
  turn.solved([1, 2, 3, 4, 5]);
  expect(turn.takeEarly(1, 5)).toBeUndefined();
  expect(turn.takeEarly(4, 5)).toBeUndefined();
  expect([...turn.takeEarly(2, 5)!].sort()).toEqual([1, 2, 4]);
});

test("a few who talk all the time do not bring a round about", () => {
  const turn = new RoundTurn();
  turn.solved([1, 2, 3, 4, 5]);
  for (let i = 0; i < 100; i++) expect(turn.takeEarly(1 + (i % 2), 5)).toBeUndefined();
});
