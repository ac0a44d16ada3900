import { relativeTo } from "@ttcs/units";
import { describe, expect, test } from "vitest";
import {
  absoluteFrom,
  createStamps,
  createTriples,
  halvesOf,
  packColumns,
  putTime,
  reserveStamps,
  unpackColumns,
} from "./columns.ts";

describe("columns", () => {
  test("seconds and nanoseconds become one 64-bit number", () => {
    const cases: [number, number][] = [
      [0, 0],
      [4, 294_967_295],
      [4, 294_967_296],
      [1_795_356_122, 999_999_999],
      [4_294_967_295, 999_999_999],
    ];
    const column = new BigInt64Array(cases.length);
    for (const [i, [s, ns]] of cases.entries()) putTime(halvesOf(column), i, s, ns);
    expect([...column]).toEqual(cases.map(([s, ns]) => BigInt(s) * 1_000_000_000n + BigInt(ns)));
  });

  test("relative numbers become absolute again, also across zero and 2^32", () => {
    const relative = Float64Array.of(0, 1, -1, 2 ** 32, -(2 ** 32) - 1, 2 ** 52, -(2 ** 52), 0.75);
    const column = new BigInt64Array(relative.length);
    const back = new Float64Array(relative.length);
    for (const base of [0n, 1_795_356_122_000_000_000n, -5n, 0xffff_ffffn]) {
      absoluteFrom(base, relative, relative.length, column);
      expect([...column]).toEqual(Array.from(relative, (ns) => base + BigInt(Math.floor(ns))));
      relativeTo(base, column, relative.length, back);
      expect([...back]).toEqual(Array.from(relative, Math.floor));
    }
  });

  test("growing keeps what counts", () => {
    const stamps = createStamps(1);
    stamps.length = 1;
    stamps.peer[0] = 7;
    stamps.probe[0] = 8;
    stamps.systemNs[0] = 9n;
    reserveStamps(stamps, 3);
    expect(stamps.probe.length).toBeGreaterThanOrEqual(4);
    expect([stamps.length, stamps.peer[0], stamps.probe[0], stamps.systemNs[0]]).toEqual([
      1,
      7,
      8,
      9n,
    ]);
  });

  test("a packed batch holds what counted, column by column, and nothing behind it", () => {
    const sent = createStamps(8);
    const received = createStamps(8);
    const triples = createTriples(8);
    for (const [columns, count] of [
      [sent, 3],
      [received, 2],
    ] as const) {
      columns.length = count;
      for (let i = 0; i < 8; i++) {
        columns.peer[i] = 10 * count + i;
        columns.probe[i] = 2 ** 52 + i;
        columns.systemNs[i] = BigInt(100 * count + i);
      }
    }
    triples.length = 1;
    triples.rawBeforeNs[0] = -1n;
    triples.systemNs[0] = 1n << 60n;
    triples.rawAfterNs[0] = 7n;
    const out = unpackColumns(packColumns(sent, received, triples));
    expect(out).toEqual({
      sent: {
        length: 3,
        peer: Uint32Array.of(30, 31, 32),
        probe: Float64Array.of(2 ** 52, 2 ** 52 + 1, 2 ** 52 + 2),
        systemNs: BigInt64Array.of(300n, 301n, 302n),
      },
      received: {
        length: 2,
        peer: Uint32Array.of(20, 21),
        probe: Float64Array.of(2 ** 52, 2 ** 52 + 1),
        systemNs: BigInt64Array.of(200n, 201n),
      },
      triples: {
        length: 1,
        rawBeforeNs: BigInt64Array.of(-1n),
        systemNs: BigInt64Array.of(1n << 60n),
        rawAfterNs: BigInt64Array.of(7n),
      },
    });
  });
});
