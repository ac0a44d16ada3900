import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type StampColumn, StampColumnSchema } from "./gen/clocksync/peer_pb.js";
import { packStamps, unpackStamps } from "./stamps.ts";

function pack(probe: number[], stampNs: number[]): StampColumn {
  return packStamps(Float64Array.from(probe), Float64Array.from(stampNs), probe.length);
}

function unpack(column: StampColumn | undefined, room = 8): [number, number][] | -1 {
  const probe = new Float64Array(room);
  const ns = new Float64Array(room);
  const count = unpackStamps(column, probe, ns);
  if (count < 0) return -1;
  return Array.from({ length: count }, (_, i) => [probe[i], ns[i]]);
}

function column(firstProbe: bigint, probeStep: number[], stampNs: number[]): StampColumn {
  return create(StampColumnSchema, { firstProbe, probeStep, stampNs });
}

describe("packStamps", () => {
  it("writes the first number, then steps, then rounded stamps", () => {
    const packed = pack([40, 41, 45], [-1000.4, 0.6, 499_999_999.5]);
    expect(packed.firstProbe).toBe(40n);
    expect(packed.probeStep).toEqual([1, 4]);
    expect(packed.stampNs).toEqual([-1000, 1, 500_000_000]);
  });

  it("packs the entries from one on, against a base of their own scale", () => {
    const probe = Float64Array.from([1, 2, 9, 8, 10, 99]);
    const stampNs = Float64Array.from([1, 2, 1_090, 1_080, 1_100.6, 99]);
    const packed = packStamps(probe, stampNs, 5, 2, 1_000);
    expect(unpack(packed)).toEqual([
      [8, 80],
      [9, 90],
      [10, 101],
    ]);
    expect(packStamps(probe, stampNs, 5, 5).stampNs).toEqual([]);
  });

  it("leaves out stamps that could not be carried, also the first", () => {
    const packed = pack([7, 8, 9, 10], [Number.NaN, 80, Number.NaN, 100]);
    expect(unpack(packed)).toEqual([
      [8, 80],
      [10, 100],
    ]);
  });

  it("leaves out stamps further than 32 bits from the base", () => {
    const packed = pack([1, 2, 3, 4, 5], [-2147483649, -2147483648, 0, 2147483647, 2147483648]);
    expect(unpack(packed)).toEqual([
      [2, -2147483648],
      [3, 0],
      [4, 2147483647],
    ]);
  });

  it("sorts what the network reordered and keeps the first of what it duplicated", () => {
    expect(unpack(pack([12, 10, 11, 12, 10], [120, 100, 110, 999, 998]))).toEqual([
      [10, 100],
      [11, 110],
      [12, 120],
    ]);
  });

  it("stops at a gap that no step can name, and can still be sent", () => {
    const packed = pack([5, 6, 2 ** 40], [50, 60, 70]);
    const received = fromBinary(StampColumnSchema, toBinary(StampColumnSchema, packed));
    expect(unpack(received)).toEqual([
      [5, 50],
      [6, 60],
    ]);
  });

  it("looks only at the first entries of the columns", () => {
    const packed = packStamps(Float64Array.of(1, 2, 3), Float64Array.of(10, 20, 30), 2);
    expect(packed.stampNs).toEqual([10, 20]);
    expect(() => packStamps(Float64Array.of(1), Float64Array.of(1), 2)).toThrow("count");
  });
});

describe("unpackStamps", () => {
  it("finds no entries in an absent or empty column", () => {
    expect(unpack(undefined)).toEqual([]);
    expect(unpack(column(9n, [], []))).toEqual([]);
  });

  it.each([
    ["a step too few", column(1n, [], [10, 20])],
    ["a step too many", column(1n, [1, 1], [10, 20])],
    ["a step without any stamp", column(1n, [1], [])],
    ["a step of 0", column(1n, [1, 0], [10, 20, 30])],
    ["a first number past 2^53-1", column(2n ** 53n, [], [10])],
    ["a last number past 2^53-1", column(2n ** 53n - 2n, [1, 1], [10, 20, 30])],
    ["the largest number of 64 bits", column(2n ** 64n - 1n, [1], [10, 20])],
  ])("refuses a column with %s", (_, wrong) => {
    expect(unpack(wrong)).toBe(-1);
  });

  it("takes numbers up to 2^53-1", () => {
    expect(unpack(column(2n ** 53n - 2n, [1], [10, 20]))).toEqual([
      [2 ** 53 - 2, 10],
      [2 ** 53 - 1, 20],
    ]);
  });

  it("refuses more entries than the arrays hold", () => {
    expect(unpack(column(1n, [1, 1], [10, 20, 30]), 2)).toBe(-1);
  });
});
