import type { TracePlan } from "@ttcs/simulator";
import { expect, test } from "vitest";
import { ProbeCsv } from "./probe-csv.ts";

const plan = {
  timestamping: "hardware",
  hosts: ["h0", "h1", "höst"].map((id) => ({ id, region: "", clockQuality: 1 })),
  reference: 0,
  edges: [[0, 1]],
} as TracePlan;
const header = "from,to,pair,slot,tx_ns,rx_ns\n";

function read(text: string | Buffer, chunkBytes = 1 << 16) {
  const bytes = Buffer.from(text);
  const rows: number[][] = [];
  const bases: [number, bigint][] = [];
  const csv = new ProbeCsv(plan, {
    setBase: (host, base) => bases.push([host, base]),
    probe: (...row) => rows.push(row),
  });
  let fault: string | undefined;
  for (let at = 0; at < bytes.length && !fault; at += chunkBytes) {
    fault = csv.push(bytes.subarray(at, at + chunkBytes));
  }
  return { fault: fault ?? csv.end(), rows, bases, rowCount: csv.rowCount };
}

test("stamps are exact to the nanosecond, relative to the first one of their host", () => {
  const { rows, bases, fault, rowCount } = read(
    `${header}h0,h1,0,0,9223372036854775807,5\nh1,h0,12,1,1000000007,9223372036854775000\n`,
  );
  expect(fault).toBeUndefined();
  expect(bases).toEqual([
    [0, 9_223_372_036_854_775_807n],
    [1, 5n],
  ]);
  expect(rows).toEqual([
    [0, 1, 0, 0, 0, 0],
    [1, 0, 12, 1, 1_000_000_002, -807],
  ]);
  expect(rowCount).toBe(2);
});

test("where the chunks end makes no difference", () => {
  const lines = Array.from(
    { length: 40 },
    (_, i) => `höst,h1,${i},${i % 2},${10n ** 18n + BigInt(i)},${i * 999}`,
  );
  const text = `${header}${lines.join("\n")}\n`;
  const whole = read(text);
  expect(whole.rows.length).toBe(40);
  for (const bytes of [1, 2, 7, 64]) expect(read(text, bytes)).toEqual(whole);
});

test("a last line that is whole needs no line end, and CRLF is a line end", () => {
  const { rows, fault } = read(`${header.replace("\n", "\r\n")}h0,h1,0,0,5,6\r\nh0,h1,0,1,7,8`);
  expect(fault).toBeUndefined();
  expect(rows.at(-1)).toEqual([0, 1, 0, 1, 2, 2]);
});

test("a file without line ends is not taken into memory", () => {
  expect(read("x".repeat(10_000), 1000).fault).toMatch(/^line 1: longer than 4096 bytes/);
});
