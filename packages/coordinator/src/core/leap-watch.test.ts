import { expect, test } from "vitest";
import { LeapWatch } from "./leap-watch.ts";
import type { RoundResult } from "./solve.ts";

/** A round in which so many others were refused, and so many trusted beside the reference. */
const round = (refused: number, trusted: number) =>
  ({
    trusted: new Set(Array.from({ length: trusted + 1 }, (_, i) => i)),
    reasons: new Map(Array.from({ length: refused }, (_, i) => [100 + i, "it does not fit"])),
    out: new Map(),
  }) as unknown as RoundResult;

test("two rounds in a row in which everybody leaves its course prove that the reference did", () => {
  const watch = new LeapWatch();
  expect(watch.look(round(9, 0))).toEqual({ suspicious: true });
  expect(watch.look(round(8, 1)).proof).toBe(
    "its raw clock has left its course against 8 of 9 hosts at once",
  );
});

test("one such round alone proves nothing, nor do two with a good one between them", () => {
  const watch = new LeapWatch();
  for (let i = 0; i < 5; i++) {
    expect(watch.look(round(9, 0)).proof).toBeUndefined();
    expect(watch.look(round(0, 9))).toEqual({ suspicious: false });
  }
});

test("a host or two that leave their course are their own affair", () => {
  const watch = new LeapWatch();
  for (let i = 0; i < 5; i++) {
    expect(watch.look(round(6, 3)).suspicious).toBe(false);
    expect(watch.look(round(1, 0)).suspicious).toBe(false);
  }
});
