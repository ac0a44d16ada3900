import { pino } from "pino";
import { expect, test } from "vitest";
import { limitedWarnings } from "./log.ts";

function journal() {
  const clock = { nowMs: 0 };
  const lines: string[] = [];
  const sink = { write: (line: string) => lines.push(JSON.parse(line).msg) };
  const log = pino(
    limitedWarnings(() => clock.nowMs),
    sink,
  );
  return { clock, lines, log };
}

test("of warnings that are alike ten are written, then one every half minute, which counts the others", () => {
  const { clock, lines, log } = journal();
  for (let i = 0; i < 1_000; i++) log.warn(`refused 127.0.0.1:${i}: no certificate of "h${i}"`);
  expect(lines).toHaveLength(10);
  clock.nowMs = 31_000;
  log.warn('refused 127.0.0.9:5: no certificate of "h"');
  expect(lines.at(-1)).toBe(
    'refused 127.0.0.9:5: no certificate of "h" (990 like it were not written)',
  );
});

test("a flood of one kind hides no other kind, and what is no warning is always written", () => {
  const { lines, log } = journal();
  for (let i = 0; i < 1_000; i++) log.warn({ count: i }, `${i} connections turned away`);
  log.warn("this server leads no more: the lease was taken");
  for (let i = 0; i < 50; i++) log.info("a host has joined");
  expect(lines).toContain("this server leads no more: the lease was taken");
  expect(lines.filter((l) => l.includes("joined"))).toHaveLength(50);
});

test("a hundred thousand warnings of as many kinds in forty seconds make less than a hundred lines", () => {
  const { clock, lines, log } = journal();
  const name = (i: number) => [...`${i}`].map((d) => "ghijklmnop"[Number(d)]).join("");
  for (let i = 0; i < 100_000; i++) {
    clock.nowMs = i / 2.5;
    log.warn(`${name(i)} has sent nonsense`);
  }
  expect(lines.length).toBeGreaterThan(60);
  expect(lines.length).toBeLessThan(100);
});
