import { expect, test } from "vitest";
import { InstantColumn } from "./instants.ts";

test("instants are written exactly, rounded down, on either side of the base", () => {
  const column = new InstantColumn(1);
  for (const base of [0n, 1_795_305_600_000_000_000n, -5n, 4_294_967_295n, -(1n << 40n)]) {
    column.setBase(base);
    for (const relativeNs of [0, 0.9, -0.1, 1, -1, 4_294_967_296, 3.6e12, -3.6e12, 2 ** 51]) {
      column.set(0, relativeNs);
      expect(column.column[0]).toBe(base + BigInt(Math.floor(relativeNs)));
    }
  }
});

test("a column that grows keeps what it has", () => {
  const column = new InstantColumn(2);
  column.setBase(100n);
  column.set(1, 5);
  column.reserve(1_000);
  column.set(999, 7);
  expect([column.column[1], column.column[999]]).toEqual([105n, 107n]);
});
