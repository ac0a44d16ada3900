import { expect, test } from "vitest";
import { ProbeBuffer } from "./probe-buffer.ts";

/** Feeds (number, sent) rows; returns what became of each. */
function feed(buffer: ProbeBuffer, rows: readonly (readonly [number, number])[]) {
  return rows.map(([number, txNs]) => {
    const odd = buffer.holds(number, txNs) ? "doubled" : buffer.check(number, txNs);
    if (!odd) buffer.push(number, txNs, txNs + 5);
    return odd;
  });
}
const numbers = (buffer: ProbeBuffer) => [...buffer.probe.subarray(0, buffer.length)];

test("numbers that begin anew go on behind the old ones, pairs stay pairs", () => {
  const buffer = new ProbeBuffer();
  const rows = [
    [100, 1],
    [101, 2],
    [0, 3],
    [1, 4],
    [2, 5],
    [3, 6],
  ] as const;
  expect(feed(buffer, rows)).toEqual([
    undefined,
    undefined,
    "pairFell",
    undefined,
    undefined,
    undefined,
  ]);
  expect(numbers(buffer)).toEqual([100, 101, 103, 104, 105]);
});

test("one garbled number, low or high, costs a row at most", () => {
  const low = new ProbeBuffer();
  expect(
    feed(low, [
      [50, 1],
      [3, 2],
      [51, 3],
    ]),
  ).toEqual([undefined, "pairFell", undefined]);
  const high = new ProbeBuffer();
  expect(
    feed(high, [
      [50, 1],
      [9_000, 2],
      [51, 3],
      [52, 4],
      [53, 5],
    ]),
  ).toEqual([undefined, undefined, "pairFell", undefined, undefined]);
  expect(numbers(high)).toEqual([50, 9_000, 9_002, 9_003]);
});

test("a probe that is there already is doubled; an older stamp goes backwards", () => {
  const buffer = new ProbeBuffer();
  expect(
    feed(buffer, [
      [0, 1],
      [1, 2],
      [0, 1],
      [2, 2],
      [3, 1.5],
    ]),
  ).toEqual([undefined, undefined, "doubled", "backwards", "backwards"]);
});

test("what has left the window is dropped, and a rewound sender may go on", () => {
  const buffer = new ProbeBuffer();
  feed(buffer, [
    [0, 1],
    [1, 2],
    [2, 900],
    [3, 901],
  ]);
  buffer.dropUntil(6);
  expect(numbers(buffer)).toEqual([1, 2, 3]);
  buffer.rewind(3);
  expect(numbers(buffer)).toEqual([1]);
  expect(feed(buffer, [[4, 3]])).toEqual([undefined]);
});

test("a recording whose rounds never close does not fill the memory", () => {
  const buffer = new ProbeBuffer();
  for (let i = 0; i < 200_000; i++) buffer.push(i, i, i);
  expect(buffer.length).toBeLessThanOrEqual(65_536);
  expect(buffer.probe[buffer.length - 1]).toBe(199_999);
  expect(buffer.probe.length).toBeLessThanOrEqual(65_536);
});
